/**
 * The drawing of a rates chart with uPlot: stacked steps around zero, losses and gaps hatched on the same picture.
 *
 * One plot object lives as long as its chart and is given new arrays; colours come from the palette at each drawing, so that a
 * change of theme needs no new object.
 */
import uPlot from "uplot";
import type { Layout } from "~/lib/rates";
import { hatch, palette } from "./palette";
import { gapsOf, type Stacked, stack } from "./stack";

export type PlotOptions = {
  width: number;
  height: number;
  slots: number;
  /** Places of the series in the palette, by slot. */
  placeOf: (slot: number) => number;
  yLabel: (value: number) => string;
  xLabel: (seconds: number, step: number) => string;
  /** Index of the bucket under the pointer; `undefined` when it is elsewhere. */
  onCursor: (index: number | undefined) => void;
  onZoom: (from: number, to: number) => void;
  onReset: () => void;
  /** Whether stretches without data are hatched. */
  gaps: boolean;
};

export type Drawing = { layout: Layout; stacked: Stacked; from: number; to: number; extent: [number, number] };

export class Plot {
  readonly #plot: uPlot;
  #drawing: Drawing | undefined;
  #options: PlotOptions;

  constructor(target: HTMLElement, options: PlotOptions) {
    this.#options = options;
    this.#plot = new uPlot(this.#describe(options), emptyData(options.slots), target);
  }

  draw(
    layout: Layout,
    range: { from: number; to: number },
    scale: number,
    extentOf: (s: Stacked) => [number, number],
  ): void {
    const stacked = stack(layout, this.#options.slots, scale);
    const [from, to] = [range.from / 1000, range.to / 1000];
    this.#drawing = { layout, stacked, from, to, extent: extentOf(stacked) };
    const lanes = [...[...stacked.above].reverse(), ...[...stacked.below].reverse()];
    this.#plot.batch(() => {
      this.#plot.setData([stacked.times, ...lanes] as uPlot.AlignedData, false);
      this.#plot.setScale("x", { min: from, max: to });
      this.#plot.setScale("y", { min: this.#drawing?.extent[0] ?? -1, max: this.#drawing?.extent[1] ?? 1 });
    });
  }

  redraw(): void {
    this.#plot.redraw(false, true);
  }

  resize(width: number, height: number): void {
    this.#plot.setSize({ width, height });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #describe({ width, height, slots }: PlotOptions): uPlot.Options {
    const options = () => this.#options;
    return {
      width,
      height,
      padding: [10, 24, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        sync: { key: "time", scales: ["x", null] },
        drag: { x: true, y: false, setScale: false },
        bind: {
          dblclick: () => () => {
            options().onReset();
            return null;
          },
        },
      },
      scales: {
        x: { time: true, auto: false },
        y: { auto: false },
      },
      axes: this.#axes(),
      series: [{}, ...this.#series(slots), ...this.#series(slots)],
      hooks: {
        drawClear: [(plot) => this.#drawGaps(plot)],
        draw: [(plot) => this.#drawLosses(plot), (plot) => this.#drawZero(plot)],
        setCursor: [(plot) => options().onCursor(this.#bucketAt(plot))],
        setSelect: [(plot) => this.#zoom(plot)],
      },
    };
  }

  #axes(): uPlot.Axis[] {
    const font = '11px "Inter"';
    const common = { font, stroke: () => palette().faint, ticks: { show: false } };
    return [
      {
        ...common,
        size: 26,
        gap: 7,
        space: 64,
        grid: { show: false },
        values: (_, splits, _axis, _space, step) => splits.map((at) => this.#options.xLabel(at, step)),
      },
      {
        ...common,
        size: 62,
        gap: 6,
        space: 34,
        grid: { stroke: () => palette().grid, width: 1 },
        values: (_, splits) => splits.map((value) => this.#options.yLabel(Math.abs(value))),
      },
    ];
  }

  /** The outermost slot is drawn first, the inner ones over it. */
  #series(slots: number): uPlot.Series[] {
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    return Array.from({ length: slots }, (_, i) => {
      const slot = slots - 1 - i;
      return {
        ...(stepped === undefined ? {} : { paths: stepped }),
        points: { show: false },
        width: 1,
        fillTo: 0,
        stroke: () => palette().edges[this.#options.placeOf(slot)] ?? palette().faint,
        fill: () => palette().fills[this.#options.placeOf(slot)] ?? palette().faint,
      };
    });
  }

  #drawGaps(plot: uPlot): void {
    const drawing = this.#drawing;
    if (drawing === undefined || !this.#options.gaps) return;
    const { layout, from, to } = drawing;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = hatch(ctx, palette().grid, uPlot.pxRatio);
    for (const [start, end] of gapsOf(layout, from, to)) {
      const [left, right] = [plot.valToPos(start, "x", true), plot.valToPos(end, "x", true)];
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    ctx.restore();
  }

  #drawLosses(plot: uPlot): void {
    const drawing = this.#drawing;
    if (drawing === undefined) return;
    const { ctx, bbox } = plot;
    const pixel = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const pattern = hatch(ctx, palette().warning, pixel);
    drawing.layout.losses.forEach((loss, i) => {
      if (loss.kernelDrops + loss.recordsDropped + loss.flowsOther === 0) return;
      const start = drawing.layout.times[i] ?? 0;
      const left = plot.valToPos(start, "x", true);
      const width = Math.max(5 * pixel, plot.valToPos(start + drawing.layout.bucket, "x", true) - left);
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = palette().warning;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = pattern;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = palette().warning;
      triangle(ctx, left + width / 2, bbox.top, 4 * pixel);
    });
    ctx.restore();
  }

  #drawZero(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const y = Math.round(plot.valToPos(0, "y", true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = palette().page;
    ctx.lineWidth = 3 * uPlot.pxRatio;
    line(ctx, bbox.left, bbox.left + bbox.width, y);
    ctx.strokeStyle = palette().faint;
    ctx.lineWidth = uPlot.pxRatio;
    line(ctx, bbox.left, bbox.left + bbox.width, y);
    ctx.restore();
  }

  #bucketAt(plot: uPlot): number | undefined {
    const left = plot.cursor.left ?? -1;
    const { times, bucket } = this.#drawing?.layout ?? { times: [], bucket: 1 };
    if (left < 0 || times.length === 0) return undefined;
    const index = Math.floor((plot.posToVal(left, "x") - (times[0] ?? 0)) / bucket);
    return index >= 0 && index < times.length ? index : undefined;
  }

  #zoom(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#options.onZoom(from * 1000, to * 1000);
  }
}

function emptyData(slots: number): uPlot.AlignedData {
  return Array.from({ length: 2 * slots + 1 }, () => []) as unknown as uPlot.AlignedData;
}

function line(pen: CanvasRenderingContext2D, from: number, to: number, y: number): void {
  pen.beginPath();
  pen.moveTo(from, y);
  pen.lineTo(to, y);
  pen.stroke();
}

function triangle(pen: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  pen.beginPath();
  pen.moveTo(x, y + 1);
  pen.lineTo(x + size, y + 1.7 * size);
  pen.lineTo(x - size, y + 1.7 * size);
  pen.fill();
}
