#include "handlers/routes.h"

#include "handlers/handlers.h"

#define WORKSPACE "/v1/workspaces/{workspace_id:uuid}"
#define READ      IDEMPOTENCY_NONE
#define ONCE      IDEMPOTENCY_KEY
#define SEALED    IDEMPOTENCY_SEALED
#define SECRET    IDEMPOTENCY_SECRET

#define CONNECTION  WORKSPACE "/connections/{connection_id:uuid}"
#define INTEGRATION WORKSPACE "/integrations/{integration_id:uuid}"
#define RECORD      WORKSPACE "/records/{record_id:uuid}"
#define REVIEW      WORKSPACE "/review/{item_id:uuid}"
#define PROBLEM     WORKSPACE "/problems/{problem_id:uuid}"
#define DELIVERY    WORKSPACE "/deliveries/{delivery_id:uuid}"

enum { RETRY_BODY_BYTES_MAX = 512 * 1024 /* fifty corrected values of two thousand characters */ };

/* In the order of openapi/openapi.yaml, which names the same paths, access and idempotency. */
const struct route routes[] = {
    /* session */
    {METHOD_POST, "/v1/auth/login", ACCESS_PUBLIC, READ, api_login, 0},
    {METHOD_POST, "/v1/auth/refresh", ACCESS_PUBLIC, READ, api_session_refresh, 0},
    {METHOD_POST, "/v1/auth/logout", ACCESS_PUBLIC, READ, api_logout, 0},
    {METHOD_GET, "/v1/me", ACCESS_USER, READ, api_me_get, 0},
    {METHOD_POST, "/v1/me/password", ACCESS_USER, SECRET, api_me_password, 0},

    /* workspaces */
    {METHOD_POST, "/v1/workspaces", ACCESS_USER, ONCE, api_workspace_create, 0},
    {METHOD_GET, "/v1/workspaces", ACCESS_USER, READ, api_workspace_list, 0},
    {METHOD_GET, WORKSPACE, ACCESS_VIEWER, READ, api_workspace_get, 0},
    {METHOD_PATCH, WORKSPACE, ACCESS_ADMIN, READ, api_workspace_update, 0},
    {METHOD_GET, WORKSPACE "/members", ACCESS_VIEWER, READ, api_member_list, 0},
    {METHOD_PUT, WORKSPACE "/members/{user_id:uuid}", ACCESS_ADMIN, READ, api_member_update, 0},
    {METHOD_DELETE, WORKSPACE "/members/{user_id:uuid}", ACCESS_ADMIN, READ, api_member_remove, 0},
    {METHOD_POST, WORKSPACE "/invitations", ACCESS_ADMIN, SECRET, api_invitation_create, 0},
    {METHOD_POST, "/v1/invitations/accept", ACCESS_PUBLIC, READ, api_invitation_accept, 0},
    {METHOD_POST, WORKSPACE "/api-keys", ACCESS_ADMIN, SECRET, api_api_key_create, 0},
    {METHOD_GET, WORKSPACE "/api-keys", ACCESS_ADMIN, READ, api_api_key_list, 0},
    {METHOD_DELETE, WORKSPACE "/api-keys/{api_key_id:uuid}", ACCESS_ADMIN, READ, api_api_key_delete,
     0},

    /* catalogue */
    {METHOD_GET, "/v1/providers", ACCESS_PUBLIC, READ, api_provider_list, 0},

    /* connections */
    {METHOD_POST, WORKSPACE "/connections", ACCESS_ADMIN, SEALED, api_connection_create, 0},
    {METHOD_GET, WORKSPACE "/connections", ACCESS_VIEWER, READ, api_connection_list, 0},
    {METHOD_GET, CONNECTION, ACCESS_VIEWER, READ, api_connection_get, 0},
    {METHOD_DELETE, CONNECTION, ACCESS_ADMIN, READ, api_connection_disconnect, 0},
    {METHOD_POST, CONNECTION "/reconnect", ACCESS_ADMIN, SEALED, api_connection_reconnect, 0},
    {METHOD_POST, CONNECTION "/account", ACCESS_ADMIN, ONCE, api_connection_account_choose, 0},

    /* the browser's way to a provider and back */
    {METHOD_GET, "/oauth/{provider:name}/start", ACCESS_PUBLIC, READ, api_oauth_start, 0},
    {METHOD_POST, "/oauth/{provider:name}/start", ACCESS_PUBLIC, READ, api_oauth_confirm, 0},
    {METHOD_GET, "/oauth/{provider:name}/callback", ACCESS_PUBLIC, READ, api_oauth_callback, 0},
    {METHOD_GET, "/oauth/{provider:name}/client", ACCESS_PUBLIC, READ, api_oauth_client, 0},

    /* integrations */
    {METHOD_POST, WORKSPACE "/integrations", ACCESS_ADMIN, ONCE, api_integration_create, 0},
    {METHOD_GET, WORKSPACE "/integrations", ACCESS_VIEWER, READ, api_integration_list, 0},
    {METHOD_GET, INTEGRATION, ACCESS_VIEWER, READ, api_integration_get, 0},
    {METHOD_PATCH, INTEGRATION, ACCESS_ADMIN, READ, api_integration_update, 0},
    {METHOD_POST, INTEGRATION "/sync", ACCESS_REVIEWER, ONCE, api_integration_sync, 0},
    {METHOD_GET, INTEGRATION "/status", ACCESS_VIEWER, READ, api_integration_status, 0},
    {METHOD_GET, INTEGRATION "/windows", ACCESS_VIEWER, READ, api_window_list, 0},

    /* records, items, ledger, counterparties */
    {METHOD_GET, WORKSPACE "/records", ACCESS_VIEWER, READ, api_record_list, 0},
    {METHOD_GET, RECORD, ACCESS_VIEWER, READ, api_record_get, 0},
    {METHOD_GET, RECORD "/document", ACCESS_VIEWER, READ, api_record_document_get, 0},
    {METHOD_GET, WORKSPACE "/items", ACCESS_VIEWER, READ, api_item_list, 0},
    {METHOD_GET, WORKSPACE "/items/{item_id:uuid}", ACCESS_VIEWER, READ, api_item_get, 0},
    {METHOD_GET, WORKSPACE "/ledger", ACCESS_VIEWER, READ, api_ledger_list, 0},
    {METHOD_GET, WORKSPACE "/counterparties", ACCESS_VIEWER, READ, api_counterparty_list, 0},
    {METHOD_GET, WORKSPACE "/counterparties/{counterparty_id:uuid}", ACCESS_VIEWER, READ,
     api_counterparty_get, 0},

    /* review, problems, deliveries */
    {METHOD_GET, WORKSPACE "/review", ACCESS_VIEWER, READ, api_review_list, 0},
    {METHOD_POST, REVIEW "/approve", ACCESS_REVIEWER, ONCE, api_review_approve, 0},
    {METHOD_POST, REVIEW "/pin", ACCESS_REVIEWER, ONCE, api_review_pin, 0},
    {METHOD_POST, REVIEW "/reject", ACCESS_REVIEWER, ONCE, api_review_reject, 0},
    {METHOD_POST, REVIEW "/undo", ACCESS_REVIEWER, ONCE, api_review_undo, 0},
    {METHOD_POST, REVIEW "/assign", ACCESS_REVIEWER, ONCE, api_review_assign, 0},
    {METHOD_POST, REVIEW "/snooze", ACCESS_REVIEWER, ONCE, api_review_snooze, 0},
    {METHOD_POST, REVIEW "/comment", ACCESS_REVIEWER, ONCE, api_review_comment, 0},
    {METHOD_GET, WORKSPACE "/problems", ACCESS_VIEWER, READ, api_problem_list, 0},
    {METHOD_POST, PROBLEM "/retry", ACCESS_REVIEWER, ONCE, api_problem_retry, RETRY_BODY_BYTES_MAX},
    {METHOD_POST, PROBLEM "/dismiss", ACCESS_REVIEWER, ONCE, api_problem_dismiss, 0},
    {METHOD_POST, PROBLEM "/reopen", ACCESS_REVIEWER, ONCE, api_problem_reopen, 0},
    {METHOD_GET, WORKSPACE "/deliveries", ACCESS_VIEWER, READ, api_delivery_list, 0},
    {METHOD_GET, DELIVERY, ACCESS_VIEWER, READ, api_delivery_get, 0},
    {METHOD_POST, DELIVERY "/resolve", ACCESS_REVIEWER, ONCE, api_delivery_resolve, 0},

    /* proof, notifications */
    {METHOD_GET, WORKSPACE "/conservation", ACCESS_VIEWER, READ, api_conservation_get, 0},
    {METHOD_GET, WORKSPACE "/audit", ACCESS_ADMIN, READ, api_audit_list, 0},
    {METHOD_GET, WORKSPACE "/audit/verify", ACCESS_ADMIN, READ, api_audit_verify, 0},
    {METHOD_GET, WORKSPACE "/notifications", ACCESS_VIEWER, READ, api_notification_list, 0},

    /* admin */
    {METHOD_GET, "/admin/v1/lanes", ACCESS_OPERATOR, READ, api_admin_lane_list, 0},
    {METHOD_GET, "/admin/v1/workers", ACCESS_OPERATOR, READ, api_admin_worker_list, 0},
    {METHOD_GET, "/admin/v1/connections", ACCESS_OPERATOR, READ, api_admin_connection_list, 0},

    /* operations */
    {METHOD_GET, "/healthz", ACCESS_PUBLIC, READ, api_healthz, 0},
    {METHOD_GET, "/readyz", ACCESS_PUBLIC, READ, api_readyz, 0},
    {METHOD_GET, "/metrics", ACCESS_PUBLIC, READ, api_metrics, 0},
};
const size_t route_count = COUNT(routes);
