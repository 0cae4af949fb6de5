/** The generated client with one rule added: an answer is its data, or a `RequestError` is thrown. */
import createClient from "openapi-fetch";
import { isProblem, RequestError } from "./problem";
import type { paths } from "./schema";

export const api = createClient<paths>({ baseUrl: location.origin });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer. Lists could also come as text (CSV); the app asks for JSON alone. */
export async function dataOf<T>(request: Promise<Answer<T>>): Promise<Exclude<T, string>> {
  const { data, error, response } = await reached(request);
  if (response.ok && data !== undefined) return data as Exclude<T, string>;
  throw new RequestError(isProblem(error) ? error : unreadable(response));
}

/** For answers that have no body. */
export async function done(request: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await reached(request);
  if (!response.ok) throw new RequestError(isProblem(error) ? error : unreadable(response));
}

async function reached<T>(request: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new RequestError(undefined, cause);
  }
}

/** Something between browser and server answered in words that are not ours. */
function unreadable(response: Response) {
  return {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    code: response.status === 401 ? ("unauthenticated" as const) : ("internal" as const),
    detail: `HTTP ${response.status} ${response.statusText}`.trim(),
  };
}
