/** Who did something, in words. */
import type { AuditActor } from "~/api/schema";
import { useT } from "~/i18n";

const kinds = ["local", "system", "anonymous"] as const;

export function useActor(): (actor: AuditActor) => string {
  const t = useT();
  return ({ kind, name }) => {
    const known = kinds.find((one) => one === kind);
    if (known !== undefined) return t(`audit.actor.${known}`);
    return kind === "token" ? t("audit.actor.token", { name: name ?? "" }) : (name ?? kind);
  };
}
