"""Samples of every stock inspection: what its metrics show when it is bad, and when it is well.

A row is the metric's name, its tags besides those that the inspection groups by, and the value of
each step when bad and when well: what is stored, so that counters stand as rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

Course = float | Callable[[float], float]
"""A value, or what gives it by the hours passed."""


class Sample(NamedTuple):
    """One series of an inspection's samples."""

    metric: str
    tags: Mapping[str, str]
    bad: Course
    well: Course


def s(metric: str, bad: Course, well: Course, **tags: str) -> Sample:
    """Return a sample; in the keys of tags ``__`` stands for a dot."""
    return Sample(metric, {key.replace("__", "."): value for key, value in tags.items()}, bad, well)


NOW_S = 1_700_000_000.0
"""About when the samples are taken, for those that are times."""
DAY_S = 86_400.0
HTTP, GRPC = "http.server.request.duration", "rpc.server.duration"

SAMPLES: Mapping[str, tuple[Sample, ...]] = {
    # host
    "host-cpu": (s("node_cpu_seconds_total", 0.01, 0.6, mode="idle"),),
    "host-cpu-steal": (s("node_cpu_seconds_total", 0.3, 0.01, mode="steal"),),
    "host-io-wait": (s("node_cpu_seconds_total", 0.5, 0.02, mode="iowait"),),
    "host-load": (s("node_load15", 9, 1), s("node_cpu_seconds_total", 0.1, 0.1, mode="idle")),
    "host-memory": (
        s("node_memory_MemAvailable_bytes", 1e8, 4e9),
        s("node_memory_MemTotal_bytes", 8e9, 8e9),
    ),
    "host-oom-kill": (s("node_vmstat_oom_kill", lambda hours: 7 + int(12 * hours), 7),),
    "host-swapping": (s("node_vmstat_pswpin", lambda hours: 3.6e6 * hours, 5),),
    "host-memory-pressure": (s("node_pressure_memory_stalled_seconds_total", 0.4, 0.001),),
    "host-io-pressure": (s("node_pressure_io_stalled_seconds_total", 0.8, 0.01),),
    "host-disk-space": (
        s("node_filesystem_avail_bytes", 1e9, 8e10, fstype="ext4"),
        s("node_filesystem_size_bytes", 1e11, 1e11, fstype="ext4"),
    ),
    "host-disk-forecast": (
        s("node_filesystem_avail_bytes", lambda hours: 2e11 - 4e10 * hours, 5e10, fstype="xfs"),
    ),
    "host-inodes": (
        s("node_filesystem_files_free", 10, 9e5, fstype="ext4"),
        s("node_filesystem_files", 1e6, 1e6, fstype="ext4"),
    ),
    "host-read-only": (s("node_filesystem_readonly", 1, 0, fstype="ext4"),),
    "host-filesystem-errors": (s("node_filesystem_device_error", 1, 0, fstype="nfs4"),),
    "host-disk-busy": (s("node_disk_io_time_seconds_total", 0.99, 0.2),),
    "host-network-errors": (
        s("node_network_receive_errs_total", 5, 0),
        s("node_network_transmit_errs_total", 0, 0),
        s("node_network_receive_packets_total", 100, 100),
        s("node_network_transmit_packets_total", 100, 100),
    ),
    "host-network-drops": (
        s("node_network_receive_drop_total", 10, 0.1),
        s("node_network_receive_packets_total", 100, 100),
    ),
    "host-clock": (s("node_timex_offset_seconds", -0.4, 0.0001),),
    "host-clock-unsynchronised": (s("node_timex_sync_status", 0, 1),),
    "host-file-descriptors": (
        s("node_filefd_allocated", 900, 100),
        s("node_filefd_maximum", 1_000, 1_000),
    ),
    "host-connections-tracked": (
        s("node_nf_conntrack_entries", 900, 100),
        s("node_nf_conntrack_entries_limit", 1_000, 1_000),
    ),
    "host-unit-failed": (s("node_systemd_unit_state", 1, 0, state="failed"),),
    "host-raid-degraded": (s("node_md_disks", 1, 0, state="failed"),),
    # host-opentelemetry
    "otel-host-cpu": (s("system.cpu.time", 0.01, 0.7, state="idle"),),
    "otel-host-load": (
        s("system.cpu.load_average.15m", 9, 1),
        s("system.cpu.time", 0.01, 0.7, state="idle"),
    ),
    "otel-host-memory": (
        s("system.memory.usage", 97, 40, state="used"),
        s("system.memory.usage", 3, 60, state="free"),
    ),
    "otel-host-disk-space": (
        s("system.filesystem.usage", 97, 40, state="used", type="ext4"),
        s("system.filesystem.usage", 3, 60, state="free", type="ext4"),
    ),
    "otel-host-disk-forecast": (
        s(
            "system.filesystem.usage",
            lambda hours: 2e11 - 4e10 * hours,
            5e10,
            state="free",
            type="ext4",
        ),
    ),
    "otel-host-inodes": (
        s("system.filesystem.inodes.usage", 97, 40, state="used", type="ext4"),
        s("system.filesystem.inodes.usage", 3, 60, state="free", type="ext4"),
    ),
    "otel-host-network-errors": (
        s("system.network.errors", 5, 0, direction="receive"),
        s("system.network.packets", 100, 100, direction="receive"),
    ),
    # runtime
    "jvm-heap": (
        s("jvm.memory.used_after_last_gc", 95, 30, jvm__memory__type="heap"),
        s("jvm.memory.limit", 100, 100, jvm__memory__type="heap"),
    ),
    "jvm-gc-time": (s("jvm.gc.duration", 0.4, 0.01, statistic="totalTime"),),
    "jvm-threads-blocked": (s("jvm.thread.count", 50, 0, jvm__thread__state="blocked"),),
    "jvm-heap-prometheus": (
        s("jvm_memory_used_bytes", 99, 30, area="heap"),
        s("jvm_memory_max_bytes", 100, 100, area="heap"),
    ),
    "jvm-gc-time-prometheus": (s("jvm_gc_pause_seconds_sum", 0.4, 0.01),),
    "jvm-deadlock": (s("jvm_threads_deadlocked", 2, 0),),
    "go-goroutines": (s("go_goroutines", 20_000, 60),),
    "go-goroutines-opentelemetry": (s("go.goroutine.count", 20_000, 60),),
    "go-gc-pauses": (s("go_gc_duration_seconds_sum", 0.2, 0.001),),
    "go-memory-limit": (s("go.memory.used", 95, 30), s("go.memory.limit", 100, 100)),
    "go-threads": (s("go_threads", 2_000, 12),),
    "python-gc": (s("python_gc_collections_total", 3, 0.01, generation="2"),),
    "nodejs-event-loop-lag": (s("nodejs_eventloop_lag_p99_seconds", 0.5, 0.01),),
    "nodejs-event-loop-delay": (s("nodejs.eventloop.delay.p99", 0.5, 0.01),),
    "nodejs-event-loop-utilization": (s("nodejs.eventloop.utilization", 0.97, 0.2),),
    "nodejs-heap": (s("v8js.memory.heap.used", 99, 30), s("v8js.memory.heap.limit", 100, 100)),
    "nodejs-gc-time": (s("nodejs_gc_duration_seconds_sum", 0.3, 0.001, kind="major"),),
    "dotnet-gc-time": (s("dotnet.gc.pause.time", 0.3, 0.001, statistic="count"),),
    "dotnet-thread-pool": (s("dotnet.thread_pool.queue.length", 500, 0),),
    # process
    "process-file-descriptors": (s("process_open_fds", 950, 20), s("process_max_fds", 1e3, 1e3)),
    "process-cpu": (s("process.cpu.utilization", 0.99, 0.2),),
    "process-threads": (s("process.thread.count", 5_000, 20),),
    "target-down": (s("up", 0, 1),),
    "scrape-slow": (s("scrape_duration_seconds", 9, 0.01),),
    # http and grpc
    "http-server-errors": (
        s(HTTP, 3, 0.1, statistic="count", http__response__status_code="500"),
        s(HTTP, 7, 9.9, statistic="count", http__response__status_code="200"),
    ),
    "http-server-slow": (
        s(HTTP, 90, 1, statistic="totalTime"),
        s(HTTP, 10, 10, statistic="count"),
    ),
    "http-client-errors": (
        s("http.client.request.duration", 5, 0, statistic="count", error__type="timeout"),
        s("http.client.request.duration", 5, 9, statistic="count"),
    ),
    "grpc-server-errors": (
        s(GRPC, 5, 0, statistic="count", rpc__grpc__status_code="14"),
        s(GRPC, 5, 9, statistic="count", rpc__grpc__status_code="0"),
    ),
    "grpc-client-errors": (
        s("rpc.client.duration", 5, 0, statistic="count", rpc__grpc__status_code="14"),
        s("rpc.client.duration", 5, 9, statistic="count", rpc__grpc__status_code="0"),
    ),
    "grpc-server-errors-prometheus": (
        s("grpc_server_handled_total", 5, 0, grpc_code="Unavailable"),
        s("grpc_server_handled_total", 5, 9, grpc_code="OK"),
    ),
    # messaging
    "kafka-lag": (s("kafka_consumergroup_lag", 50_000, 3),),
    "kafka-lag-opentelemetry": (s("kafka.consumer_group.lag", 50_000, 3),),
    "kafka-consumer-lag": (s("kafka.consumer.records_lag_max", 50_000, 3),),
    "kafka-under-replicated": (s("kafka_topic_partition_under_replicated_partition", 1, 0),),
    "kafka-offline-partitions": (
        s("kafka_controller_kafkacontroller_offlinepartitionscount", 1, 0),
    ),
    "kafka-no-controller": (s("kafka_controller_kafkacontroller_activecontrollercount", 0, 1),),
    "rabbitmq-queue": (s("rabbitmq_queue_messages_ready", 50_000, 3),),
    "rabbitmq-memory-alarm": (s("rabbitmq_alarms_memory_used_watermark", 1, 0),),
    "rabbitmq-disk-alarm": (s("rabbitmq_alarms_free_disk_space_watermark", 1, 0),),
    "rabbitmq-file-descriptors": (
        s("rabbitmq_process_open_fds", 950, 20),
        s("rabbitmq_process_max_fds", 1e3, 1e3),
    ),
    # database pools
    "pool-usage": (
        s("db.client.connection.count", 10, 2, db__client__connection__state="used"),
        s("db.client.connection.max", 10, 10),
    ),
    "pool-waiting": (s("db.client.connection.pending_requests", 20, 0),),
    "pool-timeouts": (s("db.client.connection.timeouts", 0.2, 0, statistic="count"),),
    "pool-usage-before-stable": (
        s("db.client.connections.usage", 10, 2, state="used"),
        s("db.client.connections.max", 10, 10),
    ),
    "hikari-usage": (
        s("hikaricp_connections_active", 10, 2),
        s("hikaricp_connections_max", 10, 10),
    ),
    "hikari-waiting": (s("hikaricp_connections_pending", 20, 0),),
    "hikari-timeouts": (s("hikaricp_connections_timeout_total", 0.2, 0),),
    # postgres
    "postgres-down": (s("pg_up", 0, 1),),
    "postgres-connections": (
        s("pg_stat_database_numbackends", 95, 10, datname="shop"),
        s("pg_settings_max_connections", 100, 100),
    ),
    "postgres-deadlocks": (s("pg_stat_database_deadlocks", 0.1, 0),),
    "postgres-replication-lag": (s("pg_replication_lag_seconds", 300, 0.2),),
    "postgres-rollbacks": (
        s("pg_stat_database_xact_rollback", 5, 0.1),
        s("pg_stat_database_xact_commit", 5, 9.9),
    ),
    "postgres-cache": (
        s("pg_stat_database_blks_hit", 50, 99),
        s("pg_stat_database_blks_read", 50, 1),
    ),
    "postgres-long-transaction": (s("pg_stat_activity_max_tx_duration", 7_200, 1),),
    # mysql
    "mysql-down": (s("mysql_up", 0, 1),),
    "mysql-connections": (
        s("mysql_global_status_threads_connected", 95, 10),
        s("mysql_global_variables_max_connections", 100, 100),
    ),
    "mysql-replication-lag": (s("mysql_slave_status_seconds_behind_master", 300, 0),),
    # redis
    "redis-down": (s("redis_up", 0, 1),),
    "redis-memory": (s("redis_memory_used_bytes", 95, 10), s("redis_memory_max_bytes", 100, 100)),
    "redis-evictions": (s("redis_evicted_keys_total", 5, 0),),
    "redis-rejected": (s("redis_rejected_connections_total", 0.2, 0),),
    "redis-clients": (s("redis_connected_clients", 95, 10), s("redis_config_maxclients", 100, 100)),
    "redis-replication": (s("redis_master_link_up", 0, 1),),
    "redis-snapshot": (s("redis_rdb_last_bgsave_status", 0, 1),),
    # proxies
    "nginx-down": (s("nginx_up", 0, 1),),
    "nginx-dropped": (s("nginx_connections_accepted", 9, 5), s("nginx_connections_handled", 5, 5)),
    "haproxy-backend": (s("haproxy_backend_active_servers", 0, 2),),
    "envoy-healthy-hosts": (
        s("envoy_cluster_membership_healthy", 1, 5),
        s("envoy_cluster_membership_total", 5, 5),
    ),
    # kubernetes
    "kube-restarts": (s("kube_pod_container_status_restarts_total", 0.02, 0),),
    "kube-crash-loop": (
        s("kube_pod_container_status_waiting_reason", 1, 0, reason="CrashLoopBackOff"),
    ),
    "kube-pod-pending": (s("kube_pod_status_phase", 1, 0, phase="Pending"),),
    "kube-deployment-unavailable": (s("kube_deployment_status_replicas_unavailable", 2, 0),),
    "kube-node-not-ready": (
        s("kube_node_status_condition", 0, 1, condition="Ready", status="true"),
    ),
    "kube-job-failed": (s("kube_job_status_failed", 1, 0),),
    "kube-autoscaler-maxed": (
        s("kube_horizontalpodautoscaler_status_current_replicas", 10, 3),
        s("kube_horizontalpodautoscaler_spec_max_replicas", 10, 10),
    ),
    "kube-volume-space": (
        s("kubelet_volume_stats_available_bytes", 1, 60),
        s("kubelet_volume_stats_capacity_bytes", 100, 100),
    ),
    # containers
    "container-memory": (
        s("container_memory_working_set_bytes", 98, 30),
        s("container_spec_memory_limit_bytes", 100, 100),
    ),
    "container-throttled": (
        s("container_cpu_cfs_throttled_periods_total", 8, 0.1),
        s("container_cpu_cfs_periods_total", 10, 10),
    ),
    "container-memory-opentelemetry": (s("k8s.container.memory_limit_utilization", 0.98, 0.3),),
    "container-cpu-opentelemetry": (s("k8s.container.cpu_limit_utilization", 0.98, 0.3),),
    # probes
    "probe-failing": (s("probe_success", 0, 1),),
    "certificate-expires": (
        s("probe_ssl_earliest_cert_expiry", NOW_S + 3 * DAY_S, NOW_S + 60 * DAY_S),
    ),
    # elasticsearch
    "elasticsearch-red": (s("elasticsearch_cluster_health_status", 1, 0, color="red"),),
    "elasticsearch-heap": (
        s("elasticsearch_jvm_memory_used_bytes", 97, 40, area="heap"),
        s("elasticsearch_jvm_memory_max_bytes", 100, 100, area="heap"),
    ),
}
