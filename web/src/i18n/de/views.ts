/** Deutsch: gespeicherte Ansichten. */
import type { Message } from "../catalogue";
import type { views as english } from "../en/views";

export const views: Readonly<Record<keyof typeof english, Message>> = {
  "views.title": "Ansichten",
  "views.one": "Gespeicherte Ansicht",
  "views.none": "Von dieser Seite ist noch keine Ansicht gespeichert.",
  "views.unknown": "Die gespeicherten Ansichten können gerade nicht gelesen werden.",
  "views.save": "Diese Ansicht speichern …",
  "views.saveTitle": "Diese Ansicht speichern",
  "views.saveHint": "Zeitraum, Filter und Diagramme dieser Seite werden unter diesem Namen aufbewahrt.",
  "views.share": "Mit allen Mitgliedern des Arbeitsbereichs geteilt",
  "views.shareNow": "Teilen",
  "views.unshare": "Nicht mehr teilen",
  "views.sharedBy": "geteilt von {name}",
  "views.manage": "Ansichten verwalten …",
  "views.manageTitle": "Gespeicherte Ansichten dieser Seite",
  "views.rename": "Umbenennen",
  "views.renameTitle": "{name} umbenennen",
  "views.deleteTitle": "{name} löschen?",
  "views.deleteText": "Ihre Adresse führt dann ins Leere. Was sie zeigt, bleibt, wie es ist.",
  "views.deleteShared":
    "Alle Mitglieder verlieren sie, und ihre Adresse führt dann ins Leere. Was sie zeigt, bleibt, wie es ist.",
};
