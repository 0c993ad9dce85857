import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isolationUnavailable } from "../../errors.ts";
import type { KataDefinition } from "../../kata.ts";
import type { Submission } from "../submission.ts";
import { APP_FOLDER, makeRoot, type Root } from "./root.ts";

/** What one app node may use up. */
export interface ResourceLimits {
  /** Processes and threads; a bare Node.js has about eleven. */
  readonly tasks: number;
  /** Memory of the app node and all that it starts, in MiB. */
  readonly memoryMb: number;
  /** Files of the app node, in MiB. */
  readonly diskMb: number;
}

/** What is beside the heap of an app node: its own code, buffers, and what it starts. */
const BESIDE_HEAP_MB = 384;

export function resourceLimits(limits: KataDefinition["limits"]): ResourceLimits {
  return {
    tasks: limits.tasks ?? 128,
    memoryMb: limits.memoryMb + BESIDE_HEAP_MB,
    diskMb: limits.diskMb ?? 100,
  };
}

export interface IsolatedLaunch {
  readonly flags: readonly string[];
  readonly exercise: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folders of this machine that it may write, at their own paths. */
  readonly folders: readonly string[];
  readonly limits: ResourceLimits;
}

/**
 * Positional arguments: fstab, root, whether ids can be changed, id, working folder, Node, limits of
 * tasks, file bytes and data bytes, exercise; then Node's flags. Runs as the first process of its
 * namespaces: when it ends, so does everything in them (pid_namespaces(7)). The app node has another
 * process namespace within, so that it can't signal the doorkeeper where both are the same user; to
 * the first process in there, signals from within are none.
 */
const SCRIPT = `
set -e
fstab=$1 root=$2 root_rights=$3 id=$4 cwd=$5 node=$6 tasks=$7 file=$8 data=$9
shift 9
exercise=$1
shift
ip link set lo up
mount --all --fstab "$fstab"
cd "$root"
pivot_root . .${APP_FOLDER}/old
cd /
umount --lazy ${APP_FOLDER}/old
as() {
  who=$1 apart=$2
  shift 2
  set -- --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs "$@"
  if [ "$root_rights" = yes ]; then set -- --reuid "$who" --regid "$who" --clear-groups "$@"; fi
  set -- setpriv "$@"
  if [ "$apart" = yes ]; then
    set -- unshare --pid --fork --kill-child --mount-proc sh -c '"$@"; exit $?' first "$@"
  fi
  exec "$@"
}
(exec 3<&- 4>&-; as $((id + 1)) no "$node" ${APP_FOLDER}/doorkeeper.ts) &
set +e
(
  exec 5>&-
  unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
  umask 077
  cd "$cwd" || exit 1
  as "$id" yes prlimit --core=0 --nproc="$tasks" --fsize="$file" --data="$data" \\
    "$node" "$@" ${APP_FOLDER}/host.ts "$exercise"
)
exit $?
`;

/** V8 needs room beyond what it counts: code, stacks of its threads, what the client libraries map. */
const DATA_SLACK_MB = 1024;
const MIB = 1 << 20;
/** Ids that no distribution hands out, a block of them for each run. */
const FIRST_ID = 1_000_000_000;
const BLOCK = 1024;

const rootRights = process.getuid?.() === 0;

/** App nodes of one submission, shut off from this machine. */
export class Isolation {
  readonly #root: Root;
  readonly #records: string;
  #nextId = FIRST_ID + randomInt(1 << 19) * BLOCK;
  #serial = 0;

  private constructor(root: Root, records: string) {
    this.#root = root;
    this.#records = records;
  }

  /**
   * @param folder where what it needs is kept; removed by whoever made it
   * @throws GradingError `ISOLATION_UNAVAILABLE`: there is no weaker form of it
   */
  static async open(
    folder: string,
    of: { readonly submission: Submission; readonly exercise: string },
  ): Promise<Isolation> {
    if (process.platform !== "linux") {
      throw isolationUnavailable(`this is ${process.platform}, and namespaces are Linux's`);
    }
    const root = await makeRoot(join(folder, "root"), of);
    const isolation = new Isolation(root, folder);
    const file = isolation.#fstab([]);
    const args = isolation.#arguments(file, isolation.newId(), "/", "/bin/true", {
      tasks: 64,
      memoryMb: 64,
      diskMb: 1,
    });
    try {
      await promisify(execFile)("unshare", [...args, "/"], { timeout: 20_000 });
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      throw isolationUnavailable(stderr?.trim() || message);
    }
    return isolation;
  }

  /** A user id that nobody else in this run has. */
  newId(): number {
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }

  /**
   * @param id as whom it runs; app nodes that share a folder share it
   * @returns a process whose descriptors 3 and 4 are the app node's, and whose IPC channel is the doorkeeper's
   */
  launch(id: number, launch: IsolatedLaunch): ChildProcess {
    if (rootRights) for (const folder of launch.folders) give(folder, id);
    const file = this.#fstab(launch.folders, launch.limits.diskMb);
    const { PATH, ...env } = launch.env;
    const args = this.#arguments(file, id, launch.cwd, process.execPath, launch.limits);
    return spawn("unshare", [...args, launch.exercise, ...launch.flags], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "ipc"],
      env: {
        ...env,
        PATH: `/usr/sbin:/usr/bin:/sbin:/bin:${PATH ?? ""}`,
        HOME: this.#root.scratch,
        TMPDIR: this.#root.scratch,
        USER: "app",
      },
    });
  }

  #arguments(
    fstab: string,
    id: number,
    cwd: string,
    program: string,
    limits: ResourceLimits,
  ): string[] {
    return [
      ...(rootRights ? [] : ["--user", "--map-root-user"]),
      ...["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"],
      ...["--", "sh", "-c", SCRIPT, "kata", fstab, this.#root.folder, rootRights ? "yes" : "no"],
      ...[String(id), cwd, program, String(limits.tasks), String(limits.diskMb * MIB)],
      String((limits.memoryMb + DATA_SLACK_MB) * MIB),
    ];
  }

  /** The mounts of one app node; made by one program, which is quicker than one each. */
  #fstab(folders: readonly string[], diskMb = 1): string {
    const { folder: root, seen, scratch } = this.#root;
    for (const each of folders) mkdirSync(join(root, each), { recursive: true, mode: 0o755 });
    const lines = [
      [root, root, "none", "bind,ro"],
      ...seen.map((path) => [path, join(root, path), "none", "bind,ro,nosuid"]),
      ["proc", join(root, "proc"), "proc", "nosuid,nodev,noexec"],
      [
        "tmpfs",
        join(root, scratch),
        "tmpfs",
        `nosuid,nodev,mode=1777,size=${diskMb}m,nr_inodes=20k`,
      ],
      ...folders.map((path) => [
        path,
        join(root, path),
        "none",
        "bind,nosuid,nodev,X-mount.mkdir=0755",
      ]),
    ];
    this.#serial += 1;
    const file = join(this.#records, `fstab-${this.#serial}`);
    const text = lines.map((fields) => `${fields.map(escaped).join(" ")} 0 0\n`);
    writeFileSync(file, text.join(""));
    return file;
  }
}

/** Blanks in fstab(5) are written in octal. */
function escaped(field: string): string {
  return field.replace(/[\s\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function give(folder: string, id: number): void {
  chownSync(folder, id, id);
  for (const name of readdirSync(folder)) chownSync(join(folder, name), id, id);
}
