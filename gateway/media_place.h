/* Where an object lies: in the configured backend, or, after a change of the backend and during a migration, where its row
 * says. */
#ifndef GATEWAY_MEDIA_PLACE_H
#define GATEWAY_MEDIA_PLACE_H

#include "gateway/api.h"

/* The bucket to read the key from. While the rows of all objects are of the configured backend, which is asked every 10 s,
 * no row is read. fresh: ask now, for a key that was not where it should be. */
int media_place(struct api *api, struct arena *arena, const char *key, bool fresh, struct bucket **out,
                struct err *err);
void media_places_release(struct media_places *places);

#endif
