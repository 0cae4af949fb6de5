/** Ways of calls: what each is called, how good it is, and what takes its quality away. Pure. */
import type { KindDescription, VoiceGrade, VoicePath } from "~/api/schema";
import type { Status } from "~/ui/controls";

/** Names of codecs as people write them; the same in every language. */
const codecNames: Readonly<Record<string, string>> = {
  "g711-plc": "G.711 + PLC",
  g711: "G.711",
  g729a: "G.729A",
  "g723.1": "G.723.1",
  "gsm-efr": "GSM-EFR",
};

export function codecName(codec: string): string {
  return codecNames[codec] ?? codec;
}

/** The codecs that voice quality can be reckoned for: those of the simulation's form. */
export function codecsOf(kinds: readonly KindDescription[] | undefined): readonly string[] {
  const simulation = kinds?.find(({ kind }) => kind === "simulation");
  return simulation?.options.find(({ name }) => name === "codec")?.choices ?? [];
}

/** Which way it is, for the URL. */
export function keyOf({ probe, agent, way }: VoicePath): string {
  return `${probe} ${agent} ${way}`;
}

export type Ends = { from: string; to: string; arrow: "→" | "⇄" };

/** Who speaks and who listens. */
export function endsOf({ way, target }: Pick<VoicePath, "way" | "target">, agent: string): Ends {
  if (way === "reverse") return { from: target, to: agent, arrow: "→" };
  return { from: agent, to: target, arrow: way === "forward" ? "→" : "⇄" };
}

export const gradeMarks: Readonly<Record<VoiceGrade, Status>> = {
  excellent: "ok",
  good: "ok",
  fair: "warning",
  poor: "critical",
  bad: "critical",
};

export const factors = ["codec", "loss", "delay"] as const;
export type Factor = (typeof factors)[number];

/** The same factor has the same colour everywhere. */
export const factorColours: Readonly<Record<Factor, string>> = {
  codec: "var(--series-7)",
  loss: "var(--series-6)",
  delay: "var(--series-1)",
};

export type Share = {
  factor: Factor;
  /** What it takes from R. */
  taken: number;
  /** The same as a share of the best R, 0 to 1. */
  share: number;
};

/** What takes from the best R, and what is left; together at most the whole. */
export function sharesOf(path: VoicePath, best: number): { left: number; shares: Share[] } {
  const taken: Record<Factor, number> = {
    codec: path.codec_impairment,
    loss: path.loss_impairment,
    delay: path.voice.delay_impairment,
  };
  let room = 1;
  const shares = factors.map((factor) => {
    const share = Math.min(room, Math.max(0, taken[factor]) / best);
    room -= share;
    return { factor, taken: taken[factor], share };
  });
  return { left: room, shares };
}

/** What costs a way the most; `undefined` when nothing costs it half a point of R. */
export function worstFactor(path: VoicePath, best: number): Factor | undefined {
  const [most] = sharesOf(path, best).shares.toSorted((a, b) => b.taken - a.taken);
  return most !== undefined && most.taken >= 0.5 ? most.factor : undefined;
}
