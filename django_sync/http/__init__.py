"""The HTTP edge, by DRF. It reads requests and writes answers; ``engine`` does the rest."""
