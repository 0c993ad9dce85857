/** What rows and parameters are drawn from. The first of each list are the frequent ones. */
export const KINDS = ["film", "episode", "series", "short", "video", "game"];
export const ROLES = ["actor", "actress", "director", "writer", "producer", "composer", "editor"];
export const COUNTRIES = [
  "us",
  "gb",
  "in",
  "fr",
  "de",
  "jp",
  "it",
  "ca",
  "es",
  "cn",
  "kr",
  "se",
  "pl",
  "dk",
];
export const COMPANY_KINDS = ["distributor", "producer", "effects", "other"];
export const INFO_TYPES = [
  "genre",
  "rating",
  "votes",
  "budget",
  "language",
  "runtime",
  "release",
  "place",
  "sound",
  "colour",
];
export const GENRES = [
  "drama",
  "comedy",
  "short",
  "documentary",
  "romance",
  "thriller",
  "horror",
  "western",
];
