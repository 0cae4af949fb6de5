import { describe, expect, it } from "vitest";
import type { Layout } from "~/lib/rates";
import { type Picture, svgOf } from "./picture";
import { stack } from "./stack";

const none = { kernelDrops: 0, ringFill: 0, recordsDropped: 0, flowsOther: 0 };

function picture(change: Partial<Picture> = {}): Picture {
  const layout: Layout = {
    times: [100, 101, 102, 103],
    bucket: 1,
    losses: [none, { ...none, kernelDrops: 3 }, none, none],
    series: [
      { key: "tcp", label: "tcp", other: false, in: [10, null, 20, 30], out: [5, null, 0, 1] },
      { key: "", label: "other", other: true, in: [1, null, 1, 1], out: [0, null, 0, 0] },
    ],
  };
  return {
    title: "Rates by protocol",
    range: "10:00 to 10:05 UTC",
    lost: "",
    above: "in",
    below: "out",
    layout,
    stacked: stack(layout, 3, 1),
    from: 100,
    to: 104,
    extent: [-40, 40],
    places: [1, 0],
    names: layout.series.map((one) => one.label),
    gaps: true,
    colours: {
      page: "#fff",
      text: "#000",
      faint: "#777",
      grid: "#eee",
      zero: "#999",
      warning: "#c60",
      edges: ["#888", "#069"],
      fills: ["#ccc", "#9cf"],
    },
    yLabel: String,
    xLabel: (seconds) => `${seconds} s`,
    ...change,
  };
}

describe("a chart as a picture", () => {
  it("draws each series, in data order from the outside, and ends a stretch where data ends", () => {
    const svg = svgOf(picture());
    const paths = [...svg.matchAll(/<path d="([^"]*)" fill="([^"]*)"/g)];
    expect(paths.map((path) => path[2])).toEqual(["#ccc", "#9cf"]);
    expect(paths[1]?.[1]?.match(/M/g)).toHaveLength(4);
    expect(svg).toContain("Rates by protocol");
    expect(svg.match(/url\(#lost\)/g)).toHaveLength(1);
  });

  it("shows names from the network as text", () => {
    const hostile = "<script>alert(1)</script>&\"'\u0000\u001b[31m";
    const svg = svgOf(picture({ names: [hostile, "other"], title: hostile }));
    expect(svg).not.toContain("<script");
    expect(svg).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;\ufffd\ufffd");
  });

  it("has no shape where nothing is known", () => {
    const { layout } = picture();
    const empty = {
      ...layout,
      series: layout.series.map((one) => ({ ...one, in: [null, null, null, null], out: [null, null, null, null] })),
    };
    const svg = svgOf(picture({ layout: empty, stacked: stack(empty, 3, 1) }));
    expect(svg).not.toMatch(/<path d="[^"]*" fill="#/);
    expect(svg).toContain("url(#no-data)");
  });
});
