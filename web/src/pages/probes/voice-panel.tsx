/** One way of calls: its rating with all that goes into it, and how it was over time. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { probeQuery } from "~/api/probes";
import type { VoicePath } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useCursor } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { buttonClass, Mark } from "~/ui/controls";
import { Skeleton } from "~/ui/feedback";
import { Facts, Hint, Section } from "~/ui/page";
import { Panel } from "~/ui/panel";
import { TimeAgo } from "~/ui/time-ago";
import { useAgentName } from "../agents/use-agent-name";
import { MiniTable } from "./detail/parts";
import { FactorsBar } from "./factors-bar";
import { type Line, LinesPicture } from "./lines-picture";
import { notesOf, useRouteChanges } from "./route-changes";
import styles from "./voice.module.css";
import { codecName, endsOf, gradeMarks, sharesOf, worstFactor } from "./voice-ways";

type VoicePanelProps = { path: VoicePath; best: number; onClose: () => void };

export function VoicePanel({ path, best, onClose }: VoicePanelProps) {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  const { from, to, arrow } = endsOf(path, useAgentName()(path.agent));
  const { voice, kind } = path;
  const worst = worstFactor(path, best);
  return (
    <Panel
      label={t("voice.one")}
      title={`${from} ${arrow} ${to}`}
      actions={
        <Link {...paths.probe(path.probe, search, { agent: path.agent })} className={buttonClass()}>
          {t("page.probe")}
        </Link>
      }
      onClose={onClose}
    >
      <p className={styles.rating}>
        <strong>{format.fixed(voice.mos, 2)}</strong>
        <Mark status={gradeMarks[voice.grade]}>{t(`voice.grade.${voice.grade}`)}</Mark>
        <Hint>{t(worst === undefined ? "voice.noFactor" : `voice.worst.${worst}`)}</Hint>
      </p>
      {path.way === "round_trip" && <p className={styles.estimate}>{t("voice.estimateText", { kind })}</p>}
      <Contributions path={path} best={best} />
      <History path={path} />
      <Section title={t("voice.measured")}>
        <Facts
          items={[
            [t("voice.codec"), codecName(voice.codec)],
            [
              t("voice.mouthToEar"),
              <span key="delay">
                {format.duration(voice.delay)}{" "}
                <Hint>{t(voice.delay_estimated ? "probe.voiceEstimated" : "probe.voiceMeasured")}</Hint>
              </span>,
            ],
            [t("voice.network"), path.delay == null ? "–" : format.duration(path.delay)],
            [t("probes.loss"), format.percent(path.loss, 1)],
            [t("voice.heardLoss"), format.percent(voice.loss, 1)],
            [t("probe.jitter"), path.jitter == null ? "–" : format.duration(path.jitter)],
            path.bursts != null && [
              t("voice.bursts"),
              t("voice.burstsOf", { n: path.bursts, longest: path.longest_burst ?? 0 }),
            ],
            [t("voice.burstRatio"), format.fixed(voice.burst_ratio, 2)],
            [
              t("voice.by"),
              <span key="by">
                <span className="mono">{kind}</span> <Hint>{path.name}</Hint>
              </span>,
            ],
            [t("probes.lastRun"), <TimeAgo key="time" time={path.time} />],
          ]}
        />
      </Section>
    </Panel>
  );
}

/** The bar and its numbers. */
function Contributions({ path, best }: { path: VoicePath; best: number }) {
  const t = useT();
  const format = useFormat();
  const { shares } = sharesOf(path, best);
  return (
    <Section title={t("voice.contributions")}>
      <div className={styles.wide}>
        <FactorsBar path={path} best={best} />
      </div>
      <MiniTable
        label={t("voice.contributions")}
        head={[t("voice.factor"), `>${t("voice.r")}`]}
        rows={[
          { key: "best", cells: [t("voice.best"), format.fixed(best, 1)] },
          ...shares.map(({ factor, taken }) => ({
            key: factor,
            cells: [t(`voice.factor.${factor}`), taken < 0.05 ? "0" : `−${format.fixed(taken, 1)}`],
          })),
          {
            key: "left",
            cells: [
              <strong key="name">{t("voice.rFactor")}</strong>,
              <strong key="r">{format.fixed(path.voice.r_factor, 1)}</strong>,
            ],
          },
        ]}
      />
    </Section>
  );
}

/** The rating over time when it was measured; of a round trip what it would be reckoned from. */
function History({ path }: { path: VoicePath }) {
  const t = useT();
  const format = useFormat();
  const [cursor, onCursor] = useCursor();
  const { data } = useQuery(probeQuery(path.probe));
  const notes = notesOf(useRouteChanges(path.probe));
  const line = (metric: string, label: string, colour: string): Line => ({ metric, aggregate: "avg", label, colour });
  const pictures =
    path.way === "round_trip"
      ? ([
          {
            title: t("probes.loss"),
            line: line("probe_loss_ratio", t("probes.loss"), "var(--series-6)"),
            figures: (value: number) => format.percent(value, 1),
            least: [0, 0.01],
          },
          {
            title: t("probe.roundTrip"),
            line: line("probe_rtt_median_seconds", t("probe.median"), "var(--series-1)"),
            figures: format.duration,
          },
        ] as const)
      : ([
          {
            title: t("probe.mos"),
            line: line(`probe_${path.way}_mos`, t("probe.mos"), "var(--series-2)"),
            figures: (value: number) => format.fixed(value, 2),
            least: [0, 5],
          },
        ] as const);
  return (
    <Section title={t("voice.history")} hint={path.way === "round_trip" ? t("voice.noHistory") : t("voice.asItWas")}>
      {data === undefined ? (
        <Skeleton height={180} />
      ) : (
        pictures.map(({ title, line, figures, ...rest }) => (
          <LinesPicture
            key={title}
            label={t("probe.pictureOf", { picture: title, name: path.name })}
            source={{ probe: path.probe, kind: path.kind, interval: data.value.spec.interval, agent: path.agent }}
            lines={[line]}
            figures={figures}
            {...rest}
            note={`${title} · ${t("probe.meanNote")}`}
            height={path.way === "round_trip" ? 130 : 180}
            table={false}
            notes={notes}
            cursor={cursor}
            onCursor={onCursor}
          />
        ))
      )}
    </Section>
  );
}
