/** English texts about saved views. */
import type { Message } from "../catalogue";

export const views = {
  "views.title": "Views",
  "views.one": "Saved view",
  "views.none": "No view of this page is saved yet.",
  "views.unknown": "The saved views cannot be read now.",
  "views.save": "Save this view …",
  "views.saveTitle": "Save this view",
  "views.saveHint": "The range of time, filter and charts of this page are kept under this name.",
  "views.share": "Shared with all members of the workspace",
  "views.shareNow": "Share",
  "views.unshare": "Share no more",
  "views.sharedBy": "shared, by {name}",
  "views.manage": "Manage views …",
  "views.manageTitle": "Saved views of this page",
  "views.rename": "Rename",
  "views.renameTitle": "Rename {name}",
  "views.deleteTitle": "Delete {name}?",
  "views.deleteText": "Its address leads nowhere then. What it shows stays as it is.",
  "views.deleteShared": "All members lose it, and its address leads nowhere then. What it shows stays as it is.",
} as const satisfies Record<string, Message>;
