"""What a browser is asked about a page: scripts that return a list of what is wrong with it.

Left out is what Django's own templates have: inlines in a table, whose fields have headings and no
labels, and the bar between the shortcuts of a date.
"""
# ruff: noqa: E501  # JavaScript, as its own formatter has it

LOOK = """() => {
  const wrong = [], content = document.querySelector('#content');
  if (document.documentElement.scrollWidth > innerWidth)
    wrong.push('wider than the screen: ' + document.documentElement.scrollWidth);
  for (const one of content.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    const named = one.labels?.length || one.ariaLabel || one.getAttribute('aria-labelledby') || one.title;
    const button = ['submit', 'button'].includes(one.type);
    const row = one.closest('.tabular');  // Django's own: its columns have headings alone
    if (!named && !button && !row && one.offsetParent) wrong.push('no label: ' + one.name);
  }
  let level = 1;
  for (const one of content.querySelectorAll('h1, h2, h3, h4')) {
    const now = Number(one.tagName[1]);
    if (now > level + 1) wrong.push(`from h${level} to h${now}: ${one.textContent.trim()}`);
    level = now;
  }
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith('color(srgb') ? [...n.slice(0, 3).map((x) => x * 255), n[3] ?? 1] : [...n.slice(0, 3), n[3] ?? 1];
  };
  const light = ([r, g, b]) => {
    const c = [r, g, b].map((x) => (x /= 255) <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const behind = (one) => {
    const layers = [];
    for (; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const seen = new Set(), walk = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), one = walk.currentNode.parentElement;
    if (!text || !one.offsetParent || one.matches('option, script, style, .datetimeshortcuts')) continue;
    const back = behind(one), style = getComputedStyle(one);
    const fore = over(parse(style.color), back);
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      const key = `faint (${ratio.toFixed(1)}): ${one.tagName.toLowerCase()}.${one.className} in .${one.parentElement.className}`;
      if (!seen.has(key)) { seen.add(key); wrong.push(`${key} “${text.slice(0, 30)}”`); }
    }
  }
  return wrong;
}"""

UNSEEN_FOCUS = """() => {
  const wrong = [], ours = '.django-sync-scroll, .django-sync button, .django-sync-choices input';
  for (const one of document.querySelectorAll(ours)) {
    if (!one.offsetParent) continue;
    one.focus({focusVisible: true});
    const style = getComputedStyle(one);
    if (style.outlineStyle === 'none' && style.boxShadow === 'none')
      wrong.push('focus is not seen: ' + (one.className || one.name || one.tagName));
  }
  return wrong;
}"""
