/** The connectivity matrix: how every agent reaches every target, by the last run of each probe. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { matrixQuery, probesRefresh } from "~/api/probes";
import type { Matrix, MatrixCell } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import { useAgentName } from "../agents/use-agent-name";
import styles from "./probes.module.css";
import { ProbesTabs } from "./probes-tabs";
import { marks } from "./state";

export function MatrixPage() {
  const t = useT();
  const { data, error, refetch } = useQuery({ ...matrixQuery, refetchInterval: probesRefresh });
  return (
    <Page title={t("page.matrix")} actions={<ProbesTabs />}>
      {error !== null && <ProblemBox error={error} subject={t("page.matrix")} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Skeleton height={300} />
      ) : data.cells.length === 0 ? (
        <Empty title={t("matrix.none")}>
          <p>{t("matrix.noneText")}</p>
        </Empty>
      ) : (
        <>
          <Legend />
          <Grid matrix={data} />
        </>
      )}
    </Page>
  );
}

function Legend() {
  const t = useT();
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      {(["up", "degraded", "down", "unknown"] as const).map((state) => (
        <li key={state}>
          <Mark status={marks[state]}>{t(`probes.state.${state}`)}</Mark>
        </li>
      ))}
      <li>{t("matrix.blockedText")}</li>
      <li>{t("matrix.worst")}</li>
    </ul>
  );
}

function Grid({ matrix }: { matrix: Matrix }) {
  const t = useT();
  const nameOf = useAgentName();
  const cells = useMemo(
    () => new Map(matrix.cells.map((cell) => [`${cell.agent} ${cell.target}`, cell] as const)),
    [matrix],
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={t("page.matrix")}>
      <table className={styles.matrix} aria-label={t("page.matrix")}>
        <thead>
          <tr>
            <th scope="col">{t("probes.target")}</th>
            {matrix.agents.map((agent) => (
              <th key={agent} scope="col" title={agent}>
                {nameOf(agent)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.targets.map((target) => (
            <tr key={target}>
              <th scope="row" className="mono" title={target}>
                {target}
              </th>
              {matrix.agents.map((agent) => (
                <td key={agent}>
                  <Cell cell={cells.get(`${agent} ${target}`)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The worst of the pair; it opens the probe, or the list of them. */
function Cell({ cell }: { cell: MatrixCell | undefined }) {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  if (cell === undefined) return "–";
  const { state, blocked, loss, response, probes, target } = cell;
  const [only] = probes;
  const to =
    probes.length === 1 && only !== undefined ? paths.probe(only, search) : paths.probes(search, { q: target });
  return (
    <Link {...to} className={styles.cell} data-state={state} title={t("matrix.probes", { n: probes.length })}>
      <Mark status={marks[state]}>{t(`probes.state.${state}`)}</Mark>
      {blocked && <span className={styles.tag}>{t("matrix.blocked")}</span>}
      <small>
        {[
          response != null && format.duration(response),
          loss != null && t("probes.lossOf", { loss: format.percent(loss, 1) }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </small>
    </Link>
  );
}
