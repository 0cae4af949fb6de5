/** Why somebody is not let in, in the words of the page. */
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { ProblemBox, Refusal } from "~/ui/feedback";

export function Refused({ error, wrong }: { error: unknown; wrong: string }) {
  const t = useT();
  if (error === null || error === undefined) return null;
  const subject = t("signIn.refused");
  const is = (code: "unauthenticated" | "too_many_requests") => error instanceof RequestError && error.is(code);
  if (is("unauthenticated")) return <Refusal subject={subject}>{wrong}</Refusal>;
  if (is("too_many_requests")) return <Refusal subject={subject}>{t("signIn.wait")}</Refusal>;
  return <ProblemBox error={error} subject={subject} />;
}
