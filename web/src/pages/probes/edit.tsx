/** A new probe, and a probe that is changed: the same form. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { changeProbe, createProbe, kindsQuery, probeQuery } from "~/api/probes";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { buttonClass } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import { changedAgents, ownChoice } from "./agents-choice";
import { blank, draftOf, formOf, goalsOf } from "./form-state";
import { ProbeFormFields } from "./probe-form";

export function NewProbePage() {
  const t = useT();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const { data: kinds, error, refetch } = useQuery(kindsQuery);
  const first = kinds?.[0];
  return (
    <Page title={t("probes.new")}>
      {error !== null ? (
        <ProblemBox error={error} subject={t("page.probes")} onRetry={() => void refetch()} />
      ) : kinds === undefined || first === undefined ? (
        <Skeleton height={520} />
      ) : (
        <ProbeFormFields
          initial={blank(first)}
          kinds={kinds}
          secrets={[]}
          title={t("probes.new")}
          submit={t("probes.create")}
          cancel={
            <Link {...paths.probes(search)} className={buttonClass()}>
              {t("action.cancel")}
            </Link>
          }
          onSubmit={async (form, kind) => {
            const { objective, quorum } = goalsOf(form);
            const goals = { ...(objective > 0 && { objective }), ...(quorum > 0 && { quorum }) };
            const made = await createProbe({
              name: form.name,
              spec: draftOf(form, kind),
              ...goals,
              ...changedAgents(form.agents, ownChoice),
            });
            await client.invalidateQueries({ queryKey: ["probes"] });
            await navigate(paths.probe(made.id, search));
          }}
        />
      )}
    </Page>
  );
}

export function EditProbePage() {
  const t = useT();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const { probe: id = "" } = useParams({ strict: false }) as { probe?: string };
  const { data: kinds, error: unknown } = useQuery(kindsQuery);
  // The version that is changed is the one that was read when the form was opened.
  const { data, error } = useQuery({ ...probeQuery(id), staleTime: Number.POSITIVE_INFINITY, gcTime: 0 });
  const failed = unknown ?? error;
  const kind = kinds?.find((one) => one.kind === data?.value.spec.kind);
  const title = data === undefined ? t("action.edit") : t("probes.editTitle", { name: data.value.name });
  return (
    <Page title={title}>
      {failed !== null ? (
        <ProblemBox error={failed} subject={t("page.probe")} />
      ) : data === undefined || kinds === undefined || kind === undefined ? (
        <Skeleton height={520} />
      ) : (
        <ProbeFormFields
          probe={id}
          initial={formOf(data.value, kind)}
          kinds={kinds}
          secrets={data.value.secrets}
          title={title}
          submit={t("action.save")}
          cancel={
            <Link {...paths.probe(id, search)} className={buttonClass()}>
              {t("action.cancel")}
            </Link>
          }
          onSubmit={async (form, of) => {
            await changeProbe(id, data.tag, {
              name: form.name,
              spec: draftOf(form, of),
              ...goalsOf(form),
              ...changedAgents(form.agents, formOf(data.value, of).agents),
            });
            await client.invalidateQueries({ queryKey: ["probes"] });
            await navigate(paths.probe(id, search));
          }}
        />
      )}
    </Page>
  );
}
