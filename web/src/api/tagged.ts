/**
 * Objects with the tag of the version that was read (RFC 9110, section 8.8.3). A change sends the tag back, so that nobody overwrites
 * what somebody else has changed meanwhile: the server then answers `precondition_failed`.
 */
import { dataOf } from "./client";

export type Tagged<T> = { value: T; tag: string };

type Answer<T> = { data?: T; error?: unknown; response: Response };

export async function taggedOf<T>(request: Promise<Answer<T>>): Promise<Tagged<Exclude<T, string>>> {
  const answer = await request;
  const value = await dataOf(Promise.resolve(answer));
  return { value, tag: answer.response.headers.get("etag") ?? "*" };
}

/** The header of a change to the version that was read. */
export function ifMatch(tag: string): { headers: { "If-Match": string } } {
  return { headers: { "If-Match": tag } };
}
