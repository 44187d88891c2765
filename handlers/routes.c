#include "handlers/routes.h"

#include "handlers/handlers.h"

#define WORKSPACE "/v1/workspaces/{workspace_id:uuid}"
#define READ      IDEMPOTENCY_NONE
#define ONCE      IDEMPOTENCY_KEY
#define SECRET    IDEMPOTENCY_SECRET

/* In the order of openapi/openapi.yaml, which names the same paths, access and idempotency. */
const struct route routes[] = {
    /* session */
    {METHOD_POST, "/v1/auth/login", ACCESS_PUBLIC, READ, api_login, 0},
    {METHOD_POST, "/v1/auth/refresh", ACCESS_PUBLIC, READ, api_session_refresh, 0},
    {METHOD_POST, "/v1/auth/logout", ACCESS_PUBLIC, READ, api_logout, 0},
    {METHOD_GET, "/v1/me", ACCESS_USER, READ, api_me_get, 0},

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

    /* operations */
    {METHOD_GET, "/healthz", ACCESS_PUBLIC, READ, api_healthz, 0},
    {METHOD_GET, "/readyz", ACCESS_PUBLIC, READ, api_readyz, 0},
    {METHOD_GET, "/metrics", ACCESS_PUBLIC, READ, api_metrics, 0},
};
const size_t route_count = COUNT(routes);
