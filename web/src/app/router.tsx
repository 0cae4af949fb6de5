/** The pages and their addresses. Each page is a file of its own that is loaded when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from "@tanstack/react-router";
import { Frame } from "~/frame/frame";
import { Missing } from "~/pages/missing";
import { parseSearch, stringifySearch, validateSearch } from "./search";

const root = createRootRoute({ component: Outlet, validateSearch });

/** Pages outside the frame: for who is not in yet. */
const bare = <Path extends string>(path: Path, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) });

const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Frame, notFoundComponent: Missing });

const page = <Path extends string>(path: Path, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => frame, path, component: lazyRouteComponent(load, name) });

const routeTree = root.addChildren([
  bare("/start", () => import("~/pages/start"), "StartPage"),
  bare("/invite", () => import("~/pages/invite"), "InvitePage"),
  bare("/reset", () => import("~/pages/reset"), "ResetPage"),
  bare("/verify", () => import("~/pages/verify"), "VerifyPage"),
  bare("/register", () => import("~/pages/sign-in/register"), "RegisterPage"),
  bare("/welcome", () => import("~/pages/welcome/welcome"), "WelcomePage"),
  frame.addChildren([
    page("/", () => import("~/pages/overview/overview"), "OverviewPage"),
    page("/traffic", () => import("~/pages/traffic/traffic"), "TrafficPage"),
    page("/history", () => import("~/pages/history/history"), "HistoryPage"),
    page("/series", () => import("~/pages/history/series"), "SeriesPage"),
    page("/views/$view", () => import("~/pages/views/open-view"), "OpenViewPage"),
    page("/probes", () => import("~/pages/probes/probes"), "ProbesPage"),
    page("/probes/new", () => import("~/pages/probes/edit"), "NewProbePage"),
    page("/agents", () => import("~/pages/agents/agents"), "AgentsPage"),
    page("/agents/$agent", () => import("~/pages/agents/agent"), "AgentPage"),
    page("/probes/voice", () => import("~/pages/probes/voice"), "VoicePage"),
    page("/probes/matrix", () => import("~/pages/probes/matrix"), "MatrixPage"),
    page("/probes/map", () => import("~/pages/probes/map"), "MapPage"),
    page("/probes/uptime", () => import("~/pages/probes/uptime"), "UptimePage"),
    page("/probes/maintenance", () => import("~/pages/probes/maintenance"), "MaintenancePage"),
    page("/probes/$probe", () => import("~/pages/probes/probe"), "ProbePage"),
    page("/probes/$probe/edit", () => import("~/pages/probes/edit"), "EditProbePage"),
    page("/probes/$probe/traces", () => import("~/pages/probes/traces"), "TracesPage"),
    page("/storage", () => import("~/pages/storage/storage"), "StoragePage"),
    page("/flows/$id", () => import("~/pages/flow/flow"), "FlowPage"),
    page("/hosts/$address", () => import("~/pages/host/host"), "HostPage"),
    page("/events", () => import("~/pages/events/events"), "EventsPage"),
    page("/health", () => import("~/pages/health/health"), "HealthPage"),
    page("/settings", () => import("~/pages/settings/settings"), "SettingsPage"),
    page("/settings/account", () => import("~/pages/account/account"), "AccountPage"),
    page("/settings/workspace", () => import("~/pages/people/workspace"), "WorkspacePage"),
    page("/settings/members", () => import("~/pages/people/members"), "MembersPage"),
    page("/settings/roles", () => import("~/pages/people/roles"), "RolesPage"),
    page("/settings/networks", () => import("~/pages/networks/networks"), "NetworksPage"),
    page("/settings/tokens", () => import("~/pages/people/tokens"), "TokensPage"),
    page("/settings/audit", () => import("~/pages/people/audit"), "AuditPage"),
    page("/settings/users", () => import("~/pages/people/users"), "UsersPage"),
    page("/settings/workspaces", () => import("~/pages/people/workspaces"), "WorkspacesPage"),
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
