/** A request that failed: what the server says about it (RFC 9457), or that it could not be reached. */
import type { Problem } from "./schema";

export class RequestError extends Error {
  override readonly name = "RequestError";
  /** Absent when no answer came. */
  readonly problem: Problem | undefined;

  constructor(problem: Problem | undefined, cause?: unknown) {
    super(problem?.detail ?? "no answer", { cause });
    this.problem = problem;
  }

  is(code: Problem["code"]): boolean {
    return this.problem?.code === code;
  }
}

/** Whether a value that came as JSON is a problem document. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "code" in value && "detail" in value && "status" in value;
}

/** Whether trying again by itself could help. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  return error.problem === undefined || error.problem.status === 429 || error.problem.status >= 500;
}
