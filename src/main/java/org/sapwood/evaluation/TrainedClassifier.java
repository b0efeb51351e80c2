package org.sapwood.evaluation;

import org.sapwood.nn.Classifier;

/**
 * A classifier with the weights of the round that did best on the images held out of its own training set.
 *
 * @param classifier the network
 * @param chosenStep steps taken when it was best
 * @param heldOutAccuracy share of the held-out images it then got right
 */
public record TrainedClassifier(Classifier classifier, int chosenStep, double heldOutAccuracy) {}
