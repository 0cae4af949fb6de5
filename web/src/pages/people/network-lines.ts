/** Lists of networks as people write them: one on each line. */
import { RequestError } from "~/api/problem";

export type NetworkList = "only" | "deny";

export function linesOf(networks: readonly string[]): string {
  return networks.join("\n");
}

/** Commas and blanks part networks, too: lists are often pasted. */
export function networksOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((network) => network !== "");
}

/** The parameter that a list is to show: the list as a whole (`only`), or one network of it (`only[2]`). */
export function faultAt(error: unknown, list: NetworkList): { parameter: string; detail: string } | undefined {
  const problem = error instanceof RequestError ? error.problem : undefined;
  const parameter = problem?.parameter ?? "";
  if (problem === undefined || !(parameter === list || parameter.startsWith(`${list}[`))) return undefined;
  return { parameter, detail: problem.detail };
}
