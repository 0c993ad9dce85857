/**
 * What any server of ours is told, by environment variables (Weaviate's documentation, "Environment
 * variables"). It is a cluster of one, whose data know it by its host name and by the ports of its
 * consensus: all servers have the same, so that each can go on with the data of another.
 */
export const settings = {
  AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "true",
  CLUSTER_HOSTNAME: "weaviate",
  // Alone, it waits in vain for somebody else to lead: by default five times as long.
  RAFT_TIMEOUTS_MULTIPLIER: "1",
  // Else a machine whose disk is nine tenths full makes it read-only.
  DISK_USE_READONLY_PERCENTAGE: "100",
  // Modules that call services elsewhere.
  API_BASED_MODULES_DISABLED: "true",
  DISABLE_TELEMETRY: "true",
  GO_PROFILING_DISABLE: "true",
  LOG_FORMAT: "text",
  LOG_LEVEL: "warning",
};
