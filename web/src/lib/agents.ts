/** What is the same of agents in every workspace. */

/** The server's own agent always has this id; it measures when a probe names no agent. */
export const ownAgent = "0000000000000001";
