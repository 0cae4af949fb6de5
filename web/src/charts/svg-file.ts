/** A drawing of the page as a file of its own: colours of the theme written out, a background and a title added. */
import { escapeMarkup } from "./picture";

export function standalone(drawing: SVGSVGElement, title: string): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const originals = [drawing, ...drawing.querySelectorAll<SVGElement>("*")];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const name of ["fill", "stroke"] as const) {
      if (original.getAttribute(name)?.includes("var(")) copies[i]?.setAttribute(name, style[name]);
    }
  });
  const page = getComputedStyle(document.body);
  const [width, height] = [drawing.clientWidth, drawing.clientHeight + 34];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="Inter, sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="${page.backgroundColor}"/>`,
    `<text x="12" y="22" font-size="14" font-weight="600" fill="${page.color}">${escapeMarkup(title)}</text>`,
    `<g transform="translate(0 34)">${copy.innerHTML}</g></svg>`,
  ].join("");
}
