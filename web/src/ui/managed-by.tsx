/** Stands where the actions of an object would: a file owns it, and it is changed there. */
import { useT } from "~/i18n";
import { Hint } from "./page";

export function ManagedBy({ file }: { file: string }) {
  const t = useT();
  return (
    <span title={t("managed.text", { file })}>
      <Hint>{t("managed.by")}</Hint>
      <span className="visually-hidden">{t("managed.text", { file })}</span>
    </span>
  );
}
