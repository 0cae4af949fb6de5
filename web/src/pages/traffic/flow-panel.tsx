/** The side panel of a flow: enough to judge it, and the way to its page. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { flowQuery } from "~/api/queries";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { FlowChart } from "~/pages/flow/flow-chart";
import { Ends, FlowFacts, FlowTimes, FlowVolume, TcpQuality } from "~/pages/flow/parts";
import { VerdictLine } from "~/pages/flow/verdict-line";
import { useTime } from "~/time/time";
import { buttonClass } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Section } from "~/ui/page";
import { Panel } from "~/ui/panel";

export function FlowPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const { mode } = useTime();
  const { data, error } = useQuery({
    ...flowQuery(id),
    refetchInterval: ({ state }) =>
      mode === "live" && state.data?.flow.end_reason == null && state.error === null ? 1000 : false,
  });
  const open = (
    <Link {...paths.flow(id, search)} className={buttonClass()}>
      {t("flow.openPage")}
    </Link>
  );
  return (
    <Panel
      title={data === undefined ? t("page.flow") : <Ends flow={data.flow} />}
      label={t("page.flow")}
      actions={open}
      onClose={onClose}
    >
      {error !== null && data === undefined && <ProblemBox error={error} subject={t("page.flow")} />}
      {data === undefined ? (
        error === null && <Skeleton height={400} />
      ) : (
        <>
          <VerdictLine flow={data.flow} />
          <FlowChart detail={data} height={140} />
          <Section title={t("flow.who")}>
            <FlowFacts flow={data.flow} />
          </Section>
          <Section title={t("flow.when")}>
            <FlowTimes flow={data.flow} />
          </Section>
          <Section title={t("flow.volume")}>
            <FlowVolume flow={data.flow} />
          </Section>
          <TcpQuality flow={data.flow} />
        </>
      )}
    </Panel>
  );
}
