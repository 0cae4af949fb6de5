/** The pages and their addresses. Each page is a file of its own that is loaded when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { Frame } from "~/frame/frame";
import { Missing } from "~/pages/missing";
import { parseSearch, stringifySearch, validateSearch } from "./search";

const root = createRootRoute({ component: Outlet, validateSearch });

const start = createRoute({
  getParentRoute: () => root,
  path: "/start",
  component: lazyRouteComponent(() => import("~/pages/start"), "StartPage"),
});

const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Frame, notFoundComponent: Missing });

const page = <Path extends string>(path: Path, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => frame, path, component: lazyRouteComponent(load, name) });

const routeTree = root.addChildren([
  start,
  frame.addChildren([
    page("/", () => import("~/pages/overview/overview"), "OverviewPage"),
    page("/traffic", () => import("~/pages/traffic/traffic"), "TrafficPage"),
    page("/flows/$id", () => import("~/pages/flow/flow"), "FlowPage"),
    page("/hosts/$address", () => import("~/pages/host/host"), "HostPage"),
    page("/events", () => import("~/pages/events/events"), "EventsPage"),
    page("/health", () => import("~/pages/health/health"), "HealthPage"),
    page("/settings", () => import("~/pages/settings/settings"), "SettingsPage"),
    page("$", () => Promise.resolve({ Missing }), "Missing"),
  ]),
]);

export const router = createRouter({
  routeTree,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
