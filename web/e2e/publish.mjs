// Copies the picture of the README out of the artefacts of the browser tests.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const target = join(here, "../../docs/screenshots");
mkdirSync(target, { recursive: true });
copyFileSync(join(here, "../test-results/traffic-light-1280.png"), join(target, "traffic.png"));
