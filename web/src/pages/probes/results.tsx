/** The runs of a probe in the range of the page, the newest first; each opens to everything that it measured. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useId } from "react";
import { resultsQuery } from "~/api/probes";
import type { Probe, ProbeResult } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { Segmented } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Icon } from "~/ui/icons";
import { Section } from "~/ui/page";
import { Pages, usePaging } from "~/ui/pages";
import { useAgentName } from "../agents/use-agent-name";
import { lossOf, responseOf } from "./detail/numbers";
import { ResultDetails, ResultMarks } from "./detail/result";
import styles from "./probes.module.css";
import { StandingMark } from "./standing";
import { stateOf } from "./state";

const rows = 25;
const refresh = 5000;
const everything = "all";

export function Results({ probe }: { probe: Probe }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const time = useTime();
  const nameOf = useAgentName();
  const { only } = search;
  const paging = usePaging(JSON.stringify([probe.id, time.query, only]));
  const live = time.mode === "live" && paging.cursor === undefined;
  const query = useQuery({
    ...resultsQuery(probe.id, {
      ...time.query,
      limit: rows,
      ...(only === "failed" && { failed: true }),
      ...(only === "traces" && { kind: "mtr" }),
      ...(paging.cursor && { cursor: paging.cursor }),
    }),
    refetchInterval: live ? refresh : false,
  });
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const { data, error, isPlaceholderData, refetch } = query;
  return (
    <Section
      title={t("probe.results")}
      actions={
        <Segmented
          label={t("probe.only")}
          value={only ?? everything}
          options={[
            { value: everything, label: t("flows.all") },
            { value: "failed", label: t("probe.onlyFailed") },
            ...(probe.spec.kind === "mtr" ? [] : [{ value: "traces" as const, label: t("probe.onlyTraces") }]),
          ]}
          onChange={(next) => set({ only: next === everything ? undefined : next, result: undefined })}
        />
      }
    >
      {error !== null && <ProblemBox error={error} subject={t("probe.results")} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Skeleton height={300} />
      ) : data.items.length === 0 ? (
        <Empty title={t(only === undefined ? "probe.noResults" : "probe.noSuchResults")}>
          <p>{t("probe.noResultsText")}</p>
        </Empty>
      ) : (
        <ol className={`${styles.results} ${isPlaceholderData ? styles.dimmed : ""}`} aria-label={t("probe.results")}>
          {data.items.map((result) => {
            const key = keyOf(result);
            const open = search.result === key;
            return (
              <Row
                key={key}
                result={result}
                own={probe.spec.kind}
                from={probe.status.length > 1 ? nameOf(result.agent) : undefined}
                open={open}
                onToggle={() => set({ result: open ? undefined : key })}
              />
            );
          })}
        </ol>
      )}
      <Pages paging={paging} next={data?.next_cursor} />
    </Section>
  );
}

/** A run: an agent begins none twice in the same moment. */
function keyOf({ start, agent, kind }: ProbeResult): string {
  return `${start} ${agent} ${kind}`;
}

type RowProps = {
  result: ProbeResult;
  own: ProbeResult["kind"];
  /** The name of its agent, when several run the probe. */
  from: string | undefined;
  open: boolean;
  onToggle: () => void;
};

function Row({ result, own, from, open, onToggle }: RowProps) {
  const t = useT();
  const format = useFormat();
  const id = useId();
  const [loss, response] = [lossOf(result), responseOf(result)];
  const at = Date.parse(result.start);
  return (
    <li>
      <button
        type="button"
        className={styles.result}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={onToggle}
        onKeyDown={moveFocus}
      >
        <Icon name={open ? "down" : "right"} size={12} />
        <time dateTime={result.start} title={format.moment(at)}>
          {format.dateTime(at)}
        </time>
        <StandingMark standing={stateOf(result, loss)} />
        <span className={styles.number}>{response === undefined ? "–" : format.duration(response)}</span>
        <span className={styles.number}>
          {loss === undefined ? "" : t("probes.lossOf", { loss: format.percent(loss, 1) })}
        </span>
        <span className={styles.said}>
          {from !== undefined && <strong>{from} </strong>}
          <ResultMarks result={result} own={own} /> {result.failure?.message ?? result.address}
        </span>
      </button>
      {open && (
        <div id={id}>
          <ResultDetails result={result} />
        </div>
      )}
    </li>
  );
}

/** Arrows go from run to run, as in tables. */
function moveFocus(event: KeyboardEvent<HTMLButtonElement>): void {
  const buttons = [...(event.currentTarget.closest("ol")?.querySelectorAll<HTMLElement>(":scope > li > button") ?? [])];
  const index = buttons.indexOf(event.currentTarget);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(buttons.length - 1, next))]?.focus();
}
