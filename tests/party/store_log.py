"""What a guest's store notes of its outbox by itself: triggers, so that no client can forget to."""

OUTBOX_LOG = """
CREATE TABLE IF NOT EXISTS party_outbox_log (
    n INTEGER PRIMARY KEY, what TEXT, id TEXT, collection TEXT, object_id TEXT, state TEXT);
CREATE TRIGGER IF NOT EXISTS party_made AFTER INSERT ON outbox BEGIN
    INSERT INTO party_outbox_log (what, id, collection, object_id, state)
    VALUES ('made', NEW.id, NEW.collection, NEW.object_id, NEW.op); END;
CREATE TRIGGER IF NOT EXISTS party_gone AFTER DELETE ON outbox BEGIN
    INSERT INTO party_outbox_log (what, id, collection, object_id, state)
    VALUES ('gone', OLD.id, OLD.collection, OLD.object_id, OLD.state); END;
CREATE TRIGGER IF NOT EXISTS party_refused AFTER INSERT ON rejections BEGIN
    INSERT INTO party_outbox_log (what, id)
    VALUES ('refused', json_extract(NEW.mutation, '$.id')); END;
"""
