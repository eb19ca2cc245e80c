export const ADMIN_TABS = ["containers", "devices", "queue", "limits", "audit"] as const;
