/** Where the address of a saved view leads: to its page, asked what was saved. */
import { useQuery } from "@tanstack/react-query";
import { Navigate, useParams } from "@tanstack/react-router";
import { viewQuery } from "~/api/views";
import { useT } from "~/i18n";
import { targetOf } from "~/lib/views";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";

export function OpenViewPage() {
  const t = useT();
  const { view = "" } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(viewQuery(view));
  if (data !== undefined) return <Navigate {...targetOf(data.value)} replace />;
  return (
    <Page title={t("views.one")}>
      {error === null ? (
        <Skeleton height={320} />
      ) : (
        <ProblemBox error={error} subject={t("views.one")} onRetry={() => void refetch()} />
      )}
    </Page>
  );
}
