// Copies the pictures of the README out of the artefacts of the browser tests.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const target = join(here, "../../docs/screenshots");
mkdirSync(target, { recursive: true });
for (const [picture, name] of [
  ["traffic-light-1280", "traffic"],
  ["map-en-light-1280", "map"],
]) {
  copyFileSync(join(here, "../test-results", `${picture}.png`), join(target, `${name}.png`));
}
