/** Dialogs with a form: what it is about, its fields, what went wrong, and two buttons. The dialog closes when the change is done. */
import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { useT } from "~/i18n";
import { Button } from "./controls";
import { Dialog } from "./dialog";
import styles from "./dialog.module.css";
import { FormProblem } from "./form";

type FormDialogProps = {
  title: string;
  /** The word on the button that does it. */
  submit: string;
  /** It takes something away. */
  danger?: boolean;
  disabled?: boolean;
  /** Fields that show their own errors. */
  fields?: readonly string[];
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
  children: (error: unknown) => ReactNode;
};

export function FormDialog(props: FormDialogProps) {
  const { title, submit, danger = false, disabled = false, fields, onSubmit, onClose, children } = props;
  const t = useT();
  const change = useMutation({ mutationFn: onSubmit, onSuccess: onClose });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!change.isPending && !disabled) change.mutate();
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <form className={styles.form} onSubmit={send} noValidate>
        <h2>{title}</h2>
        {children(change.error)}
        <FormProblem error={change.error} subject={title} {...(fields !== undefined && { fields })} />
        <div className={styles.foot}>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button type="submit" look={danger ? "danger" : "primary"} disabled={disabled || change.isPending}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type ConfirmProps = {
  title: string;
  text: string;
  submit: string;
  onSubmit: () => Promise<unknown>;
  onClose: () => void;
};

/** Asks once more before something is taken away. */
export function Confirm({ text, ...rest }: ConfirmProps) {
  return (
    <FormDialog {...rest} danger>
      {() => <p>{text}</p>}
    </FormDialog>
  );
}
