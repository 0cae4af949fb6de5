/**
 * Rates in and out around zero, with what was lost on the same picture.
 *
 * React renders it when its series or its size change, not when numbers arrive: those are drawn, and written into the legend, by
 * the source's own signal, at most once a frame.
 */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useT } from "~/i18n";
import { placesOf } from "~/lib/color";
import { type Layout, layOut } from "~/lib/rates";
import { type Format, useFormat } from "~/prefs/use-format";
import { useTimeActions } from "~/time/time";
import { Button } from "~/ui/controls";
import { problemText } from "~/ui/feedback";
import { Legend, type LegendEntry, valueAt, writeFigures } from "./legend";
import { lossText } from "./losses";
import { onPalette, palette } from "./palette";
import { svgOf } from "./picture";
import { Plot } from "./plot";
import styles from "./rates-chart.module.css";
import { type PictureFormat, savePicture } from "./save";
import type { ChartSource } from "./source";
import { extent, type Stacked, stack } from "./stack";
import "uplot/dist/uPlot.min.css";

export type Measure = "octets" | "packets";

type RatesChartProps = {
  source: ChartSource;
  /** What the chart shows, for those who do not see it. */
  label: string;
  height: number;
  measure?: Measure;
  /** Series with a colour of their own; the rest is "other". */
  limit?: number;
  legend?: boolean;
  /** Whether a stretch without numbers is one without data: false for a flow, which is silent before and after. */
  gaps?: boolean;
  /** What is above and below zero, when it is not in and out of the interfaces. */
  directions?: { above: string; below: string };
  /** What stands for a series in the legend. */
  renderLabel?: (entry: LegendEntry) => ReactNode;
};

export function RatesChart(props: RatesChartProps) {
  const {
    source,
    label,
    height,
    measure = "octets",
    limit = 7,
    legend = true,
    gaps = true,
    directions,
    renderLabel,
  } = props;
  const t = useT();
  const format = useFormat();
  const { zoomTo, zoomOut } = useTimeActions();
  const chart = useRef<HTMLElement>(null);
  const target = useRef<HTMLDivElement>(null);
  const drawn = useRef<Screen>(null);
  const actions = useRef({ zoomTo, zoomOut });
  actions.current = { zoomTo, zoomOut };
  const [entries, setEntries] = useState<LegendEntry[]>([]);
  useEffect(() => {
    const [host, box] = [chart.current, target.current];
    if (host === null || box === null) return;
    const screen = new Screen(host, box, {
      source,
      height,
      measure,
      limit,
      gaps,
      format,
      t,
      onEntries: setEntries,
      actions,
    });
    drawn.current = screen;
    return () => screen.close();
  }, [source, height, measure, limit, gaps, format, t]);
  const save = (as: PictureFormat) => {
    const svg = drawn.current?.picture(label, directions);
    if (svg !== undefined) void savePicture(svg, label, as);
  };
  return (
    <figure ref={chart} className={styles.chart} aria-label={label}>
      <div className={styles.readout}>
        <span>
          {directions?.above ?? t("chart.in")} <b data-read="in">–</b>
        </span>
        <span>
          {directions?.below ?? t("chart.out")} <b data-read="out">–</b>
        </span>
        <span className={styles.lost} data-read="lost" />
        <span data-read="oldest" />
        <span className={styles.moment} data-read="moment" />
      </div>
      <div style={{ position: "relative" }}>
        <div ref={target} className={styles.canvas} style={{ height }} role="img" aria-label={label} />
        <span
          className={`${styles.corner} ${styles.top}`}
        >{`↑ ${directions?.above ?? t("chart.inShort")}, ${unitOf(measure, format, t)}`}</span>
        <span className={`${styles.corner} ${styles.bottom}`}>{`↓ ${directions?.below ?? t("chart.outShort")}`}</span>
        <div className={styles.message} data-read="message" hidden />
      </div>
      {legend && (
        <div className={styles.foot}>
          <Legend entries={entries} renderLabel={renderLabel} />
          <span className={styles.save}>
            <Button look="quiet" icon="download" onClick={() => save("png")} aria-label={t("chart.savePng")}>
              PNG
            </Button>
            <Button look="quiet" icon="download" onClick={() => save("svg")} aria-label={t("chart.saveSvg")}>
              SVG
            </Button>
          </span>
        </div>
      )}
    </figure>
  );
}

type ScreenOptions = {
  source: ChartSource;
  height: number;
  measure: Measure;
  limit: number;
  gaps: boolean;
  format: Format;
  t: ReturnType<typeof useT>;
  onEntries: (entries: LegendEntry[]) => void;
  actions: { current: { zoomTo: (from: number, to: number) => void; zoomOut: () => void } };
};

/** What happens outside React: measuring, drawing, and writing the figures under the pointer. */
class Screen {
  readonly #host: HTMLElement;
  readonly #options: ScreenOptions;
  readonly #plot: Plot;
  readonly #ends: (() => void)[] = [];
  #width = 0;
  #frame = 0;
  #layout: Layout | undefined;
  #places: number[] = [];
  #keys = "";
  #cursor: number | undefined;
  #extent: [number, number] = [0, 0];

  constructor(host: HTMLElement, target: HTMLElement, options: ScreenOptions) {
    this.#host = host;
    this.#options = options;
    this.#width = Math.max(80, target.clientWidth);
    this.#plot = new Plot(target, this.#plotOptions());
    const observer = new ResizeObserver(() => this.#resize(target.clientWidth));
    observer.observe(target);
    const request = () => {
      if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
    };
    this.#ends.push(() => observer.disconnect(), options.source.onChange(request), onPalette(request));
    request();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    for (const end of this.#ends) end();
    this.#plot.destroy();
  }

  /** What is drawn now, as an SVG; nothing before the first drawing. */
  picture(title: string, directions?: { above: string; below: string }): string | undefined {
    const { source, limit, measure, format, t, gaps } = this.#options;
    const layout = this.#layout;
    if (layout === undefined) return undefined;
    const scale = measure === "octets" && format.choice.rates === "bits" ? 8 : 1;
    const stacked = stack(layout, limit + 1, scale);
    const { from, to } = source.range();
    const unit = unitOf(measure, format, t);
    const { xLabel, yLabel } = this.#plotOptions();
    return svgOf({
      title,
      range: `${format.moment(from)} – ${format.moment(to)}`,
      lost: lossText(layout.losses, t, format),
      above: `${directions?.above ?? t("chart.inShort")}, ${unit}`,
      below: directions?.below ?? t("chart.outShort"),
      layout,
      stacked,
      from: from / 1000,
      to: to / 1000,
      extent: extent(stacked.highest, stacked.lowest),
      places: this.#places,
      names: layout.series.map((one) => (one.other ? t("talkers.other") : one.label)),
      gaps,
      colours: palette(),
      yLabel,
      xLabel: (seconds) => xLabel(seconds, (to - from) / 6000),
    });
  }

  #plotOptions() {
    const { height, limit, measure, format, actions } = this.#options;
    const perUnit = measure === "octets" && format.choice.rates === "bits" ? 8 : 1;
    return {
      width: this.#width,
      height,
      slots: limit + 1,
      gaps: this.#options.gaps,
      placeOf: (slot: number) => this.#places[slot] ?? 0,
      yLabel: (value: number) => (measure === "octets" ? format.rateFigures(value / perUnit) : format.quantity(value)),
      xLabel: (seconds: number, step: number) => axisTime(seconds, step, format),
      onCursor: (index: number | undefined) => {
        this.#cursor = index;
        this.#write();
      },
      onZoom: (from: number, to: number) => actions.current.zoomTo(from, to),
      onReset: () => actions.current.zoomOut(),
    };
  }

  #resize(width: number): void {
    if (width < 80 || width === this.#width) return;
    this.#width = width;
    this.#plot.resize(width, this.#options.height);
    this.#draw();
  }

  #draw(): void {
    this.#frame = 0;
    const { source, limit, measure, format } = this.#options;
    const range = source.range();
    this.#layout = layOut(source.window, range, this.#width - 64, limit, measure);
    this.#settle(this.#layout);
    const scale = measure === "octets" && format.choice.rates === "bits" ? 8 : 1;
    this.#plot.draw(this.#layout, range, scale, (stacked) => this.#extentFor(stacked));
    this.#host.classList.toggle(styles.stale ?? "", source.stale && source.window.length > 0);
    this.#host.dataset.points = String(this.#layout.times.length);
    this.#write();
  }

  /** The scale follows the data up at once, and down only when less than half of it is used. */
  #extentFor({ highest, lowest }: Stacked): [number, number] {
    const [low, high] = extent(highest, lowest);
    const [oldLow, oldHigh] = this.#extent;
    const keep = (now: number, old: number) => Math.abs(now) <= Math.abs(old) && Math.abs(now) > Math.abs(old) / 2.5;
    this.#extent = [keep(low, oldLow) ? oldLow : low, keep(high, oldHigh) ? oldHigh : high];
    return this.#extent;
  }

  /** Tells React which series there are, when that has changed. */
  #settle(layout: Layout): void {
    const keys = layout.series.map((one) => `${one.key}\n${one.label}`).join("\n\n");
    if (keys === this.#keys) return;
    this.#keys = keys;
    this.#places = placesOf(layout.series.map((one) => (one.other ? "" : one.key)));
    const entries = layout.series.map(({ key, label, other }, i) => ({
      key,
      label,
      other,
      place: this.#places[i] ?? 0,
    }));
    // At once, so that the places of the figures exist before they are written.
    flushSync(() => this.#options.onEntries(entries));
  }

  /** The figures at the pointer, or of the newest full step. */
  #write(): void {
    const layout = this.#layout;
    if (layout === undefined) return;
    const { format, measure, t, source } = this.#options;
    const index = this.#cursor ?? (source.live ? newestFull(layout) : undefined);
    const text = (value: number | null) => {
      if (value === null) return "–";
      return measure === "octets" ? format.rate(value) : `${format.quantity(value)} ${t("unit.packetsPerSecond")}`;
    };
    this.#read("in", text(sumAt(layout, "in", index)));
    this.#read("out", text(sumAt(layout, "out", index)));
    const time = index === undefined ? undefined : layout.times[index];
    this.#read("moment", time === undefined ? t("chart.mean") : format.clock(time * 1000));
    this.#read("lost", this.#lost(layout));
    this.#read("oldest", this.#oldest());
    this.#message(layout, source, t);
    writeFigures(this.#host, layout, index, (value) =>
      value === null ? "–" : measure === "octets" ? format.rateFigures(value) : format.quantity(value),
    );
  }

  /** What was lost at the pointer, or in the whole range. */
  #lost({ losses }: Layout): string {
    const { t, format } = this.#options;
    const text = lossText(
      this.#cursor === undefined ? losses : losses.slice(this.#cursor, this.#cursor + 1),
      t,
      format,
    );
    return text === "" ? "" : `▲ ${text}`;
  }

  /** Said when a range of the past lies in good part before everything that is kept. */
  #oldest(): string {
    const { source, t, format } = this.#options;
    if (source.live) return "";
    const { from, to } = source.range();
    const { oldest } = source.window;
    if (oldest === undefined || oldest - from < (to - from) / 10) return "";
    return t("chart.keptSince", { time: format.clock(oldest) });
  }

  #message(layout: Layout, source: ChartSource, t: ScreenOptions["t"]): void {
    const box = this.#host.querySelector<HTMLElement>('[data-read="message"]');
    if (box === null) return;
    const error = source.error === undefined ? undefined : problemText(source.error, t);
    const text = error ?? (isEmpty(layout) ? t(source.stale ? "chart.loading" : "chart.empty") : "");
    if (box.dataset.text === text) return;
    box.dataset.text = text;
    box.hidden = text === "";
    const line = document.createElement("span");
    line.textContent = text;
    box.replaceChildren(line);
  }

  #read(name: string, text: string): void {
    const place = this.#host.querySelector(`[data-read="${name}"]`);
    if (place !== null && place.textContent !== text) place.textContent = text;
  }
}

/** The last bucket that is surely complete. */
function newestFull(layout: Layout): number {
  const last = layout.times.length - 1;
  return layout.bucket > 1 && last > 0 ? last - 1 : last;
}

/** Whether there is no data at all: nothing ran, which is not the same as nothing carried. */
function isEmpty(layout: Layout): boolean {
  return !layout.series.some((one) => one.in.some(isKnown) || one.out.some(isKnown));
}

function isKnown(value: number | null | undefined): boolean {
  return value != null;
}

/** All series added at a bucket, or on average. */
function sumAt(layout: Layout, lane: "in" | "out", index: number | undefined): number | null {
  const values = layout.series.map((one) => valueAt(one[lane], index)).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

function unitOf(measure: Measure, format: Format, t: ReturnType<typeof useT>): string {
  return measure === "octets" ? format.rateUnit : t("unit.packetsPerSecond");
}

function axisTime(seconds: number, step: number, format: Format): string {
  const text = format.clock(seconds * 1000);
  return step >= 60 ? text.slice(0, 5) : text;
}
