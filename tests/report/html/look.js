// What a page looks like, for tests: text that is hard to read, and what sticks out of the window.
(() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (let up = node; up; up = up.parentElement) {
      const color = parse(getComputedStyle(up).backgroundColor);
      if (color[3] > 0) return color;
    }
    return [255, 255, 255, 1];
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const faint = new Set(), out = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || ["SCRIPT", "OPTION"].includes(node.tagName)) continue;
    const name = `${node.tagName}.${node.getAttribute("class") ?? ""}#${node.id}`;
    if (!node.closest(".wide, pre, #canvas, #card, svg") && (box.right > innerWidth + 1 || box.left < -1)) out.add(name);
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const style = getComputedStyle(node);
    const color = parse(node.closest("svg") ? style.fill : style.color);
    const contrast = ratio(color, behind(node));
    if (contrast < 4.5) faint.add(`${name} ${contrast.toFixed(2)}`);
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  return { faint: [...faint], out: [...out], wide: Math.max(0, wide) };
})()
