/* Every handler, named after its operation in openapi/openapi.yaml: operationId `workspaceCreate`
 * is api_workspace_create. One file per resource defines them; routes.c has the row of each. */
#ifndef SLUICE_HANDLERS_H
#define SLUICE_HANDLERS_H

#include "http/router.h"

/* session.c */
route_handler api_login;
route_handler api_session_refresh;
route_handler api_logout;
route_handler api_me_password;
route_handler api_me_get;

/* workspaces.c */
route_handler api_workspace_create;
route_handler api_workspace_list;
route_handler api_workspace_get;
route_handler api_workspace_update;

/* members.c */
route_handler api_member_list;
route_handler api_member_update;
route_handler api_member_remove;
route_handler api_invitation_create;
route_handler api_invitation_accept;

/* api_keys.c */
route_handler api_api_key_create;
route_handler api_api_key_list;
route_handler api_api_key_delete;

/* providers.c */
route_handler api_provider_list;

/* connections.c */
route_handler api_connection_create;
route_handler api_connection_list;
route_handler api_connection_get;
route_handler api_connection_reconnect;
route_handler api_connection_account_choose;
route_handler api_connection_disconnect;

/* oauth.c */
route_handler api_oauth_start;
route_handler api_oauth_confirm;
route_handler api_oauth_callback;
route_handler api_oauth_client;

/* integrations.c */
route_handler api_integration_create;
route_handler api_integration_list;
route_handler api_integration_get;
route_handler api_integration_update;
route_handler api_integration_sync;

/* integration_status.c */
route_handler api_integration_status;

/* windows.c */
route_handler api_window_list;

/* records.c */
route_handler api_record_list;
route_handler api_record_get;
route_handler api_record_document_get;

/* items.c */
route_handler api_item_list;
route_handler api_item_get;

/* ledger.c */
route_handler api_ledger_list;

/* counterparties.c */
route_handler api_counterparty_list;
route_handler api_counterparty_get;

/* review.c */
route_handler api_review_list;
route_handler api_review_approve;
route_handler api_review_pin;
route_handler api_review_reject;
route_handler api_review_undo;
route_handler api_review_assign;
route_handler api_review_snooze;
route_handler api_review_comment;

/* problems.c */
route_handler api_problem_list;
route_handler api_problem_retry;
route_handler api_problem_dismiss;
route_handler api_problem_reopen;

/* deliveries.c */
route_handler api_delivery_list;
route_handler api_delivery_get;
route_handler api_delivery_resolve;

/* conservation.c */
route_handler api_conservation_get;

/* audit.c */
route_handler api_audit_list;
route_handler api_audit_verify;

/* notifications.c */
route_handler api_notification_list;

/* admin.c */
route_handler api_admin_lane_list;
route_handler api_admin_worker_list;
route_handler api_admin_connection_list;

/* operations.c */
route_handler api_healthz;
route_handler api_readyz;
route_handler api_metrics;

#endif
