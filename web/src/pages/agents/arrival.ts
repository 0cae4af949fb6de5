/** Which agent came by an enrolment token, and how it stands with it. Pure. */
import type { Agent, EnrolmentToken } from "~/api/schema";

/** The newest agent that enrolled since the token was made, under the name that the token gives, if it gives one. */
export function arrivedAgent(
  agents: readonly Agent[],
  token: Pick<EnrolmentToken, "created" | "name">,
): Agent | undefined {
  const fresh = agents.filter(
    ({ origin, created, name }) =>
      origin === "enrolled" &&
      Date.parse(created) >= Date.parse(token.created) &&
      (token.name == null || name === token.name),
  );
  return fresh.toSorted((a, b) => b.created.localeCompare(a.created))[0];
}

export type Waiting = "waiting" | "enrolled" | "here" | "ended";

/** How it stands with a token that ends at `expires`, both in milliseconds. */
export function waitingFor(agent: Agent | undefined, expires: number, now: number): Waiting {
  if (agent?.state === "online") return "here";
  if (agent !== undefined) return "enrolled";
  return now >= expires ? "ended" : "waiting";
}
