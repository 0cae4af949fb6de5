/** Signing in with a passkey: in place of name and password, or in place of the code after them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, dataOf } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import { useT } from "~/i18n";
import { askForPasskey, hasPasskeys } from "~/lib/passkey";
import { Button } from "~/ui/controls";
import { Refused } from "./refused";

type PasskeyButtonProps = { ticket?: string; onIn: () => Promise<void> };

/** Stands there where the page may use passkeys. */
export function PasskeyButton({ ticket, onIn }: PasskeyButtonProps) {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const signIn = useMutation({
    mutationFn: async () => {
      const body = { ticket: ticket ?? null };
      const { ceremony, options } = await dataOf(api.POST("/api/v1/sign-in/passkey", { body }));
      const credential = await askForPasskey(options);
      await dataOf(api.POST("/api/v1/sign-in/passkey/finish", { body: { ceremony, credential } }));
    },
    onSuccess: onIn,
  });
  if (!hasPasskeys(options?.passkey_domain)) return null;
  return (
    <>
      <Refused error={signIn.error} wrong={t("passkey.wrong")} />
      <Button disabled={signIn.isPending} onClick={() => signIn.mutate()}>
        {t(ticket === undefined ? "passkey.signIn" : "passkey.instead")}
      </Button>
    </>
  );
}
