/** Whether the chain of the audit log is whole, from the first record to the last. */
import { useQuery } from "@tanstack/react-query";
import { auditVerificationQuery } from "~/api/people";
import { useT } from "~/i18n";
import { Button, Mark } from "~/ui/controls";
import { ProblemBox } from "~/ui/feedback";
import styles from "./people.module.css";

export function Verification() {
  const t = useT();
  const { data, error, refetch, isFetching } = useQuery(auditVerificationQuery);
  if (error !== null && data === undefined) {
    return <ProblemBox error={error} subject={t("audit.chain")} onRetry={() => void refetch()} />;
  }
  return (
    <div className={styles.filters} role="status">
      {data === undefined ? (
        <Mark status="unknown">{t("audit.verifying")}</Mark>
      ) : data.whole ? (
        <Mark status="ok">
          <span title={data.hash}>{t("audit.whole", { n: data.records })}</span>
        </Mark>
      ) : (
        <Mark status="critical">{t("audit.broken", { fault: data.fault ?? "" })}</Mark>
      )}
      <Button disabled={isFetching} onClick={() => void refetch()}>
        {t("audit.verify")}
      </Button>
    </div>
  );
}
