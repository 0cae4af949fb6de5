/** The second step of adding an agent: the command for its host, and what has become of it so far. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { agentsQuery, arrivalRefresh, largestPage } from "~/api/agents";
import type { Agent, EnrolmentToken, EnrolmentTokenMade } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { Button, buttonClass, Mark, Tabs } from "~/ui/controls";
import dialog from "~/ui/dialog.module.css";
import { Hint } from "~/ui/page";
import { Secret } from "~/ui/secret";
import styles from "./agents.module.css";
import { arrivedAgent, waitingFor } from "./arrival";
import { EndsIn } from "./ends-in";
import { useSecond } from "./use-second";

const ways = ["systemd", "container", "plain"] as const;
type Way = (typeof ways)[number];

type EnrolmentProps = {
  made: EnrolmentTokenMade;
  onAgain: () => void;
  onClose: () => void;
};

export function Enrolment({ made, onAgain, onClose }: EnrolmentProps) {
  const t = useT();
  const [way, setWay] = useState<Way>("systemd");
  const agent = useArrival(made.token);
  return (
    <div className={dialog.form}>
      <h2>{t("agents.runTitle")}</h2>
      <p>{t("agents.runText")}</p>
      <div>
        <Tabs
          label={t("agents.ways")}
          value={way}
          options={ways.map((value) => ({ value, label: t(`agents.way.${value}`) }))}
          onChange={setWay}
        />
        <div className={styles.way}>
          <Secret key={way} label={t(`agents.way.${way}`)}>
            {made.commands[way]}
          </Secret>
          <Hint>{t(`agents.wayText.${way}`)}</Hint>
        </div>
      </div>
      <Arrival agent={agent} expires={made.token.expires} onAgain={onAgain} />
      <div className={dialog.foot}>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </div>
    </div>
  );
}

/** The agent that came, as it then stands. */
function useArrival(token: EnrolmentToken): Agent | undefined {
  const client = useQueryClient();
  const { data } = useQuery({
    ...agentsQuery({ limit: largestPage, ...(token.name != null && { search: token.name }) }),
    refetchInterval: arrivalRefresh,
  });
  const agent = arrivedAgent(data?.items ?? [], token);
  const id = agent?.id;
  useEffect(() => {
    // The list behind the dialog shows it at once, and the token is used up.
    if (id !== undefined) void client.invalidateQueries({ queryKey: ["agents"] });
  }, [client, id]);
  return agent;
}

type ArrivalProps = { agent: Agent | undefined; expires: string; onAgain: () => void };

function Arrival({ agent, expires, onAgain }: ArrivalProps) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const standing = waitingFor(agent, Date.parse(expires), useSecond());
  return (
    <div className={styles.arrival} role="status" data-read="arrival">
      {standing === "waiting" && (
        <>
          <Mark status="silent">{t("agents.waiting")}</Mark>
          <span aria-hidden="true">
            {t("agents.token")}: <EndsIn time={expires} />
          </span>
        </>
      )}
      {standing === "ended" && (
        <>
          <Mark status="warning">{t("agents.tokenEnded")}</Mark>
          <Button onClick={onAgain}>{t("agents.again")}</Button>
        </>
      )}
      {agent !== undefined && (
        <>
          <Mark status={standing === "here" ? "ok" : "silent"}>
            {t(standing === "here" ? "agents.here" : "agents.enrolled", { name: agent.name })}
          </Mark>
          <Link {...paths.agent(agent.id, search)} className={buttonClass(standing === "here")}>
            {t("agents.open")}
          </Link>
        </>
      )}
    </div>
  );
}
