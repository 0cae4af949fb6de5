/** What a chart shows, as a person reads it: the figures beside it and the points that it drew. */
import type { Locator, Page } from "playwright-core";
import { until } from "./shell";

export function chart(page: Page, name: string | RegExp = /Rates in and out/): Locator {
  return page.getByRole("figure", { name });
}

/** Waits until the chart has drawn points and says a rate above zero; the result is that rate. */
export function drawn(figure: Locator): Promise<string> {
  return until("a chart with a rate", async () => {
    const points = Number(await figure.getAttribute("data-points"));
    const text = await figure.locator('[data-read="in"]').innerText();
    return points > 0 && /[1-9]/.test(text) ? text : undefined;
  });
}

/** The moment of the newest figures. */
export function moment(figure: Locator): Promise<string> {
  return figure.locator('[data-read="moment"]').innerText();
}
