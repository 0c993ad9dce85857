import type { ContainerRecipe } from "../../definition.ts";

export const container: ContainerRecipe = {
  port: 7687,
  data: "/data",
  startSeconds: 60,
  stopSeconds: 20,
  describe: () => ({
    // Any setting is a variable: dots are underscores, and underscores are two (Neo4j operations
    // manual, Docker, "Modify the default configuration").
    env: {
      // Who asks is not asked who he is, since Community knows no rights.
      NEO4J_AUTH: "none",
      NEO4J_server_http_enabled: "false",
      NEO4J_server_https_enabled: "false",
      NEO4J_dbms_usage__report_enabled: "false",
      NEO4J_server_memory_pagecache_size: "32m",
      NEO4J_server_memory_heap_initial__size: "64m",
      NEO4J_server_memory_heap_max__size: "256m",
      NEO4J_db_tx__log_preallocate: "false",
    },
    command: ["neo4j"],
  }),
  adminUrl: (_context, port) => `bolt://127.0.0.1:${port}`,
};
