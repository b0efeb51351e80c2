package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.nn.DdpmConfigs;
import org.sapwood.nn.ModelFolder;
import org.sapwood.nn.TransformerConfig;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.nn.Weights;
import org.sapwood.tensor.Backends;

/** Private training that starts from models of both of diffusers' classes. */
class PublicCheckpointTest {
    @TempDir
    private Path temp;

    /** Two levels of transformers for 28×28, none of which looks at all pixels of the outer one. */
    private static UNetConfig conditional() {
        return new UNetConfig(
                28,
                1,
                1,
                List.of(8, 8),
                1,
                List.of(true, true),
                List.of(true, true),
                true,
                0,
                4,
                1e-5f,
                6,
                true,
                0,
                1,
                new TransformerConfig(2, 8, List.of(1, 2), List.of(1, 1), List.of(true, false), true, false));
    }

    /** In the style of google/ddpm-cifar10-32: no classes, a single head, padding on one side. */
    private static UNetConfig unconditional() {
        return new UNetConfig(
                28,
                1,
                1,
                List.of(8, 8),
                1,
                List.of(false, true),
                List.of(false, true),
                true,
                0,
                4,
                1e-6f,
                0,
                false,
                1,
                0);
    }

    private Path publicModel(UNetConfig config) {
        RunFolder folder = RunFolder.create(temp.resolve("public"));
        UNet model = new UNet(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(3L));
        ModelFolder.writeConfig(config, folder);
        Weights.save(model, Map.of(), folder.checkpoint(0));
        return folder.checkpoint(0);
    }

    private SafetensorsFile train(Path publicModel) {
        TrainOptions options =
                TinyModels.options(Method.DP_LORA, SelectionRule.ALL, publicModel, 2, 4, OptionalLong.empty());
        RunFolder folder = FineTuning.start(options, temp.resolve("run"), Backends.choose(), 1, ProgressListener.SILENT)
                .folder();
        return Safetensors.read(folder.newestCheckpoint().orElseThrow().path());
    }

    @Test
    void adaptersGoToAttentionProjectionsAndClassTokensTrain() {
        Path publicModel = publicModel(conditional());
        SafetensorsFile trained = train(publicModel);
        UNet model = new UNet(conditional());
        for (String matrix : model.matrices().keySet()) {
            boolean adapted = trained.tensors().containsKey(matrix.replace(".weight", ".lora_B.weight"));
            assertEquals(UNet.inAttentionProjection(matrix), adapted, matrix);
        }
        float[] tokens = trained.require("class_tokens.weight").toFloats();
        assertEquals(11 * 16, tokens.length, "ten digits and no class");
        assertFalse(Arrays.equals(Arrays.copyOfRange(tokens, 0, 16), Arrays.copyOfRange(tokens, 16, 32)));
        SafetensorsFile before = Safetensors.read(publicModel);
        for (String name : before.tensors().keySet()) {
            if (!model.conditionParameters().contains(name)) {
                assertArrayEquals(
                        before.require(name).toFloats(), trained.require(name).toFloats(), name + " must stay frozen");
            }
        }
    }

    @Test
    void anUnconditionalModelLearnsClasses() {
        SafetensorsFile trained = train(publicModel(unconditional()));
        float[] labels = trained.require("class_embedding.weight").toFloats();
        assertEquals(11 * 32, labels.length, "ten digits and no class");
        assertTrue(labels[0] != 0 && labels[0] != labels[32], "each class goes its own way from 0");
    }

    /** 35.7 million parameters, as many as the largest public model that a CPU is meant for. */
    @Test
    void ddpmForCifar10TakesAPrivateStep() {
        UNetConfig config = DdpmConfigs.cifar10().withClasses(11);
        try (StepWorkload step =
                new StepWorkload(config, StepWorkload.Mode.LORA_PRIVATE, 1, 1, Backends.choose("auto"), 1)) {
            step.run();
        }
    }
}
