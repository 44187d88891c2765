/* Every handler, named after its operation in openapi/openapi.yaml: operationId `workspaceCreate`
 * is api_workspace_create. One file per resource defines them; routes.c has the row of each. */
#ifndef SLUICE_HANDLERS_H
#define SLUICE_HANDLERS_H

#include "http/router.h"

/* session.c */
route_handler api_login;
route_handler api_session_refresh;
route_handler api_logout;
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

/* operations.c */
route_handler api_healthz;
route_handler api_readyz;
route_handler api_metrics;

#endif
