/** History: what flows carried over hours, days and months, by up to five dimensions. Everything that is chosen is in the URL. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { type ExploreQuestion, exploreQuery } from "~/api/history";
import type { Exploration } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useFilter } from "~/app/use-filter";
import { type PictureFormat, savePicture } from "~/charts/save";
import { standalone } from "~/charts/svg-file";
import { useT } from "~/i18n";
import { historyFile } from "~/lib/paths";
import { FilterBar } from "~/pages/traffic/filter-bar";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { Button, buttonClass } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Icon } from "~/ui/icons";
import { Page } from "~/ui/page";
import { Controls } from "./controls";
import { ExploreChart } from "./explore-chart";
import { ExploreTable } from "./explore-table";
import styles from "./history.module.css";
import { HistoryTabs } from "./history-tabs";
import { lanesOf } from "./lanes";
import { type Explorer, explorerOf, questionOf, searchOf } from "./question";
import { unitOf } from "./unit";
import { useLongRange } from "./use-long-range";

/** How often a range that ends now is asked for again, in milliseconds. */
const refresh = 30_000;

export function HistoryPage() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const time = useTime();
  useLongRange();
  const invalid = useFilter().check?.valid === false;
  const explorer = useMemo(() => explorerOf(search), [search]);
  const question = questionOf(explorer, time.query, time.seconds, search.filter);
  const refetchInterval = time.mode === "live" ? refresh : (false as const);
  const asked = { enabled: !invalid, refetchInterval };
  const { data, error, isPlaceholderData, isFetching, refetch } = useQuery({ ...exploreQuery(question), ...asked });
  const set = (change: Partial<Explorer>) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...searchOf(change) }), replace: true });
  return (
    <Page title={t("page.history")} number={data && <Total answer={data} />} actions={<HistoryTabs page="history" />}>
      <FilterBar />
      <Controls explorer={explorer} onChange={set} />
      {error !== null && <ProblemBox error={error} subject={t("page.history")} onRetry={() => void refetch()} />}
      {invalid ? (
        <p className={styles.note}>{t("filter.correct")}</p>
      ) : data === undefined ? (
        error === null && <Skeleton height={420} />
      ) : (
        <Answer
          answer={data}
          explorer={explorer}
          question={question}
          dimmed={isPlaceholderData || (isFetching && error !== null)}
        />
      )}
    </Page>
  );
}

function Total({ answer }: { answer: Exploration }) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  return (
    <span>
      <span className={styles.number} data-read="total" data-total={answer.total.total}>
        {unit.total(answer.total.total)}
      </span>{" "}
      {answer.total.summary != null && t("history.mean", { rate: unit.rate(answer.total.summary.avg) })}
    </span>
  );
}

type AnswerProps = {
  answer: Exploration;
  explorer: Explorer;
  question: ExploreQuestion;
  dimmed: boolean;
};

function Answer({ answer, explorer, question, dimmed }: AnswerProps) {
  const t = useT();
  const picture = useRef<HTMLElement>(null);
  const lanes = useMemo(() => lanesOf(answer), [answer]);
  const by = answer.by.map((one) => t(`history.dimension.${one}`)).join(", ");
  const label = t("history.chart", { by });
  if (answer.total.total === 0) {
    return (
      <Empty title={t("history.empty")}>
        <p>{t(question.filter === undefined ? "history.emptyText" : "history.emptyFilter")}</p>
      </Empty>
    );
  }
  return (
    <>
      <figure
        ref={picture}
        className={`${styles.chart} ${dimmed ? styles.dimmed : ""}`}
        aria-label={label}
        aria-busy={dimmed}
      >
        <Made answer={answer} explorer={explorer} hasGaps={lanes.gaps.length > 0} />
        <ExploreChart answer={answer} lanes={lanes} explorer={explorer} label={label} />
      </figure>
      <Files picture={picture} label={label} question={question} grid={explorer.chart === "grid"} />
      <ExploreTable answer={answer} lanes={lanes} dimmed={dimmed} />
    </>
  );
}

/** What the picture is made of. */
function Made({ answer, explorer, hasGaps }: { answer: Exploration; explorer: Explorer; hasGaps: boolean }) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  const overTime = explorer.chart !== "sankey";
  const complete = Date.parse(answer.complete_until);
  return (
    <p className={styles.note}>
      <span className={styles.tier} data-read="resolution" data-resolution={answer.resolution}>
        {t(`resolution.${answer.resolution}`)}
      </span>
      {overTime && answer.step != null && <span>{t("history.steps", { step: format.duration(answer.step) })}</span>}
      {overTime && (
        <span>{explorer.mirrored ? t("history.mirroredNote", { unit: unit.perSecond }) : unit.perSecond}</span>
      )}
      {answer.by.includes("host") && <span>{t("talkers.bothEnds")}</span>}
      {overTime && hasGaps && <span>{t("history.gaps")}</span>}
      {explorer.previous && explorer.chart === "stacked" && !explorer.mirrored && (
        <span>{t("history.previousNote")}</span>
      )}
      {answer.short_by > 0 && <span>{t("history.shortBy", { amount: unit.total(answer.short_by) })}</span>}
      {overTime && complete < Date.parse(answer.to) && (
        <span title={t("history.ratesUntilTitle")}>{t("history.ratesUntil", { time: format.clock(complete) })}</span>
      )}
    </p>
  );
}

type FilesProps = {
  picture: { current: HTMLElement | null };
  label: string;
  question: ExploreQuestion;
  /** Many small pictures are no single file. */
  grid: boolean;
};

function Files({ picture, label, question, grid }: FilesProps) {
  const t = useT();
  const save = (format: PictureFormat) => {
    const drawing = picture.current?.querySelector<SVGSVGElement>("svg[data-chart]");
    if (drawing != null) void savePicture(standalone(drawing, label), label, format);
  };
  return (
    <div className={styles.foot}>
      {!grid && (
        <>
          <Button look="quiet" icon="download" onClick={() => save("png")} aria-label={t("chart.savePng")}>
            PNG
          </Button>
          <Button look="quiet" icon="download" onClick={() => save("svg")} aria-label={t("chart.saveSvg")}>
            SVG
          </Button>
        </>
      )}
      {(["csv", "json"] as const).map((format) => (
        <a
          key={format}
          className={buttonClass()}
          href={historyFile(question, format)}
          download={`netwatch-history.${format}`}
          aria-label={t("history.saveAs", { format: format.toUpperCase() })}
        >
          <Icon name="download" size={14} />
          {format.toUpperCase()}
        </a>
      ))}
    </div>
  );
}
