/**
 * What is in force for all instances of an application: the bundle and the tag policy, as the control record says.
 * Nothing here tags images or encodes labels.
 */
package io.tagstream.topology.control;
