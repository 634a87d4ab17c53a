#include "cli/verbs.h"

int main(int argc, char** argv) { return headroom::cli::headroom(argc, argv); }
