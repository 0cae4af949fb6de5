/** Voice: how calls between agents and targets would sound, each way for itself, the worst first. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { kindsQuery, probesRefresh, voiceQuery } from "~/api/probes";
import type { VoiceList, VoicePath } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useLongRange } from "~/pages/history/use-long-range";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { buttonClass, Mark, Select } from "~/ui/controls";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import { SearchField } from "~/ui/pages";
import { TimeAgo } from "~/ui/time-ago";
import { useAgentName } from "../agents/use-agent-name";
import { FactorsBar, FactorsLegend } from "./factors-bar";
import styles from "./probes.module.css";
import { ProbesTabs } from "./probes-tabs";
import { VoicePanel } from "./voice-panel";
import { codecName, codecsOf, endsOf, gradeMarks, keyOf } from "./voice-ways";

/** A call's history begins with some hours. */
const range = "-3h";
const asMeasured = "";

export function VoicePage() {
  const t = useT();
  useLongRange(range);
  const { q, codec } = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const codecs = codecsOf(useQuery(kindsQuery).data);
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...voiceQuery({ ...(q && { search: q }), ...(codec && { codec }) }),
    refetchInterval: probesRefresh,
  });
  const setCodec = (next: string) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, codec: next || undefined }), replace: true });
  return (
    <Page
      title={t("page.voice")}
      actions={
        <>
          <ProbesTabs />
          <SearchField label={t("probes.search")} />
          <Select
            label={t("voice.codec")}
            value={codec ?? asMeasured}
            options={[
              { value: asMeasured, label: t("voice.asMeasured") },
              ...codecs.map((value) => ({ value, label: t("voice.asIf", { codec: codecName(value) }) })),
            ]}
            onChange={setCodec}
          />
        </>
      }
    >
      {error !== null && <ProblemBox error={error} subject={t("page.voice")} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Skeleton height={300} />
      ) : data.items.length === 0 ? (
        <Nothing searched={q !== undefined} />
      ) : (
        <Ways list={data} dimmed={isPlaceholderData} />
      )}
    </Page>
  );
}

function Nothing({ searched }: { searched: boolean }) {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  if (searched) return <Empty title={t("list.noMatch")} />;
  const create = may("probes.write") && (
    <Link {...paths.newProbe(search)} className={buttonClass(true)}>
      {t("probes.new")}
    </Link>
  );
  return (
    <Empty title={t("voice.none")} action={create}>
      <p>{t("voice.noneText")}</p>
    </Empty>
  );
}

function Ways({ list, dimmed }: { list: VoiceList; dimmed: boolean }) {
  const t = useT();
  const navigate = useNavigate();
  const { pair } = useSearch({ strict: false }) as AppSearch;
  const { items, count, best } = list;
  const open = (key: string | undefined) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, pair: key }), replace: true });
  const chosen = items.find((path) => keyOf(path) === pair);
  return (
    <>
      <FactorsLegend best={best} />
      <DataTable
        label={t("page.voice")}
        name="voice"
        columns={useColumns(best)}
        rows={items}
        rowKey={keyOf}
        onOpen={(path) => open(keyOf(path))}
        selected={pair}
        dimmed={dimmed}
      />
      {count > items.length && <p className={styles.note}>{t("voice.worstOf", { shown: items.length, n: count })}</p>}
      {chosen !== undefined && (
        <VoicePanel key={keyOf(chosen)} path={chosen} best={best} onClose={() => open(undefined)} />
      )}
    </>
  );
}

function useColumns(best: number): readonly Column<VoicePath>[] {
  const t = useT();
  const format = useFormat();
  const nameOf = useAgentName();
  const seconds = (value: number | null | undefined) => (value == null ? "–" : format.duration(value));
  return [
    {
      id: "way",
      header: t("voice.way"),
      width: 230,
      cell: (row) => {
        const { from, to, arrow } = endsOf(row, nameOf(row.agent));
        return (
          <span title={row.name}>
            {from} <span aria-hidden="true">{arrow}</span>
            <span className="visually-hidden">{t("voice.to")}</span> {to}
          </span>
        );
      },
    },
    {
      id: "grade",
      header: t("voice.grade"),
      width: 128,
      cell: ({ voice: { grade } }) => <Mark status={gradeMarks[grade]}>{t(`voice.grade.${grade}`)}</Mark>,
    },
    {
      id: "mos",
      header: t("probe.mos"),
      width: 84,
      right: true,
      cell: (row) => (row.way === "round_trip" ? <Estimate mos={row.voice.mos} /> : format.fixed(row.voice.mos, 2)),
    },
    {
      id: "r",
      header: t("voice.r"),
      width: 66,
      right: true,
      priority: 2,
      cell: (row) => format.fixed(row.voice.r_factor, 1),
    },
    {
      id: "factors",
      header: t("voice.factors"),
      width: 150,
      priority: 2,
      cell: (row) => <FactorsBar path={row} best={best} />,
    },
    {
      id: "loss",
      header: t("probes.loss"),
      width: 78,
      right: true,
      priority: 2,
      cell: (row) => format.percent(row.loss, 1),
    },
    {
      id: "delay",
      header: t("voice.delay"),
      width: 92,
      right: true,
      priority: 2,
      cell: (row) => seconds(row.delay),
    },
    {
      id: "jitter",
      header: t("probe.jitter"),
      width: 92,
      right: true,
      priority: 3,
      cell: (row) => seconds(row.jitter),
    },
    {
      id: "burst",
      header: t("voice.burst"),
      width: 85,
      right: true,
      priority: 3,
      cell: (row) => (row.longest_burst == null ? "–" : format.count(row.longest_burst)),
    },
    {
      id: "codec",
      header: t("voice.codec"),
      width: 116,
      priority: 3,
      cell: (row) => codecName(row.voice.codec),
    },
    {
      id: "time",
      header: t("probes.lastRun"),
      width: 112,
      right: true,
      optional: true,
      cell: (row) => <TimeAgo time={row.time} />,
    },
  ];
}

/** Of a round trip: marked, so that it is not read as a measurement of one way. */
function Estimate({ mos }: { mos: number }) {
  const t = useT();
  const format = useFormat();
  return (
    <span title={t("voice.estimate")}>
      <span aria-hidden="true">≈ </span>
      {format.fixed(mos, 2)}
      <span className="visually-hidden"> {t("voice.estimate")}</span>
    </span>
  );
}
