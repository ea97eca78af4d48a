// What a page looks like, for tests: text that is hard to read, cut off or written over other text, and what sticks
// out of the window.
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
  const nameOf = (node) => `${node.tagName}.${node.getAttribute("class") ?? ""}#${node.id}`;
  const cross = (a, b) => ({
    left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom),
  });
  // What one sees of a box through everything that scrolls or cuts.
  const seen = (node, box) => {
    let shown = box;
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") shown = cross(shown, up.getBoundingClientRect());
    }
    const head = node.closest("#canvas") && !node.closest("g:last-of-type > text.name");
    if (head) shown = cross(shown, { ...shown, top: document.querySelector("#canvas .head").getBoundingClientRect().bottom });
    return shown.right - shown.left > 1 && shown.bottom - shown.top > 1 ? shown : null;
  };
  const faint = new Set(), out = new Set(), cut = new Set(), over = new Set(), boxes = [];
  for (const node of document.querySelectorAll("body *")) {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || ["SCRIPT", "OPTION", "NOSCRIPT"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    if (style.visibility === "hidden" || !node.checkVisibility()) continue; // what is in a closed detail has a box, too
    if (!node.closest(".wide, pre, #canvas, #card, svg") && (box.right > innerWidth + 1 || box.left < -1)) out.add(nameOf(node));
    const told = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    if (!told.length) continue;
    const color = parse(node.closest("svg") ? style.fill : style.color);
    const contrast = ratio(color, behind(node));
    if (contrast < 4.5) faint.add(`${nameOf(node)} ${contrast.toFixed(2)}`);
    const words = node.textContent.trim().slice(0, 30);
    if (style.overflowX !== "visible" && !["auto", "scroll"].includes(style.overflowX) && node.scrollWidth > node.clientWidth + 1) cut.add(words);
    const paper = node.closest("svg")?.getBoundingClientRect();
    if (paper && (box.right > paper.right + 1 || box.left < paper.left - 1 || box.bottom > paper.bottom + 2)) cut.add(words);
    // A heading that stays in place may lie over what scrolls below it.
    if (node.closest("#who th, #range")) continue;
    const range = document.createRange();
    for (const child of told) {
      range.selectNodeContents(child);
      for (const each of range.getClientRects()) {
        const shown = seen(node, each);
        if (shown) boxes.push({ ...shown, words, node });
      }
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  boxes.forEach((a, place) => {
    for (let next = place + 1; next < boxes.length && boxes[next].top < a.bottom - 4; next += 1) {
      const b = boxes[next], both = cross(a, b);
      if (a.node !== b.node && both.right - both.left > 2 && both.bottom - both.top > 4) over.add(`${a.words} / ${b.words}`);
    }
  });
  const card = document.getElementById("card");
  if (card && card.scrollWidth > card.clientWidth + 1) cut.add(`the card, by ${card.scrollWidth - card.clientWidth}`);
  const wide = document.documentElement.scrollWidth - innerWidth;
  return { faint: [...faint], out: [...out], cut: [...cut], over: [...over], wide: Math.max(0, wide) };
})()
