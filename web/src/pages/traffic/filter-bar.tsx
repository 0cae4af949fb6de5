/** The filter of the page: a chip for each term, and a field with completion in which terms are added or the whole is edited. */
import { useState } from "react";
import type { FilterError } from "~/api/schema";
import { type PageFilter, useFilter } from "~/app/use-filter";
import { useT } from "~/i18n";
import { indexOfByte, joined, negation } from "~/lib/filter";
import { Button } from "~/ui/controls";
import { Icon } from "~/ui/icons";
import styles from "./filter-bar.module.css";
import { FilterField } from "./filter-field";

export function FilterBar() {
  const t = useT();
  const filter = useFilter();
  const wrong = filter.check !== undefined && !filter.check.valid;
  const [editing, setEditing] = useState(false);
  const asText = editing || wrong;
  const apply = (text: string) => {
    setEditing(false);
    if (asText) filter.set(text.trim());
    else if (text.trim() !== "") filter.set(joined([...filter.terms, text.trim()]));
  };
  return (
    <search className={styles.bar} aria-label={t("filter.label")}>
      <span className={styles.lead}>
        <Icon name="search" size={14} />
      </span>
      {!asText && filter.terms.map((term) => <Chip key={term} term={term} filter={filter} />)}
      <FilterField
        key={asText ? `text ${filter.text}` : `add ${filter.text}`}
        initial={asText ? (filter.text ?? "") : ""}
        autoFocus={editing}
        placeholder={t(filter.text === undefined ? "filter.placeholder" : "filter.more")}
        onApply={apply}
        onCancel={() => setEditing(false)}
      />
      {filter.text !== undefined && !asText && (
        <Button look="quiet" onClick={() => setEditing(true)}>
          {t("filter.edit")}
        </Button>
      )}
      {filter.text !== undefined && (
        <Button look="quiet" onClick={() => filter.set(undefined)}>
          {t("filter.clear")}
        </Button>
      )}
      {wrong && filter.text !== undefined && filter.check?.error != null && (
        <Fault text={filter.text} error={filter.check.error} />
      )}
    </search>
  );
}

function Chip({ term, filter }: { term: string; filter: PageFilter }) {
  const t = useT();
  const negated = /!=|^not |!~| not in /.test(term);
  const invert = () => filter.set(joined(filter.terms.map((one) => (one === term ? negation(term) : one))));
  return (
    <span className={`${styles.chip} ${negated ? styles.negated : ""}`}>
      <code title={term}>{term}</code>
      <button
        type="button"
        className={styles.chipButton}
        onClick={invert}
        aria-label={t(negated ? "filter.includeTerm" : "filter.excludeTerm", { term })}
        title={t(negated ? "value.include" : "value.exclude")}
      >
        <Icon name={negated ? "include" : "exclude"} size={12} />
      </button>
      <button
        type="button"
        className={styles.chipButton}
        onClick={() => filter.remove(term)}
        aria-label={t("filter.removeTerm", { term })}
        title={t("filter.remove")}
      >
        <Icon name="close" size={11} />
      </button>
    </span>
  );
}

/** The text with the fault marked, and what the server says about it. */
function Fault({ text, error }: { text: string; error: FilterError }) {
  const from = indexOfByte(text, error.position);
  const to = Math.max(from + 1, indexOfByte(text, error.position + error.length));
  return (
    <div role="alert" className={styles.error}>
      <code>
        {text.slice(0, from)}
        <mark>{text.slice(from, to) || "␣"}</mark>
        {text.slice(to)}
      </code>
      {error.message}
    </div>
  );
}
